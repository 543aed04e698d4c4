"""How kernels are compiled."""

from collections.abc import Callable
from typing import Any, cast

from numba import njit

# Without Numba's reference counting: the kernels allocate nothing and own nothing, and counting
# references to the arrays they are given took two thirds of their time.
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}


def compiled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on first use, keep it on disk, run it without the interpreter's lock."""
    return cast("Callable[P, R]", njit(**_OPTIONS)(function))
