"""Compiled kernels of the search: flat arrays in, flat arrays out, no Python objects."""
