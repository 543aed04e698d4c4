"""Readers of published problems and rounds, and checkers that know only the published rules."""
