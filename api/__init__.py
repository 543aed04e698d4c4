"""The shell: command line, HTTP, words for people, wiring."""
