"""Compiled kernels of the search: flat arrays in, flat arrays out, no Python objects.

The functions carry no type hints: Numba infers machine types, and the plain-Python twins in the
tests check what they compute.
"""
