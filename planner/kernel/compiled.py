"""How kernels are compiled."""

from numba import njit

# Without Numba's reference counting: the kernels allocate nothing and own nothing, and counting
# references to the arrays they are given took two thirds of their time.
compiled = njit(cache=True, nogil=True, _nrt=False)
"""Compiled on first use, kept on disk, run without the interpreter's lock."""
