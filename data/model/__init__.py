"""Domain types: pure Python and numpy, no storage, no web."""
