"""Pages: templates, our own ES modules, and the third-party files that browsers load."""
