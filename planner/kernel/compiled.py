"""How kernels are compiled and kept."""

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

from numba import njit

# Without Numba's reference counting: the kernels allocate nothing and own nothing, and counting
# references to the arrays they are given took two thirds of their time.
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}


@cache
def stamp_of(folder: Path = Path(__file__).parent) -> str:
    """A hash of all sources in the folder of the kernels."""
    sources = [f.name.encode() + b"\0" + f.read_bytes() for f in sorted(folder.glob("*.py"))]
    return hashlib.sha256(b"\0".join(sources)).hexdigest()


def compiled[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Compile a kernel on first use, keep it on disk, run it without the interpreter's lock.

    What is kept on disk counts as fresh while no kernel's source has changed: Numba's own stamp
    knows the file of a function alone, not the files of those it calls.
    """
    kernel: Any = njit(**_OPTIONS)(function)
    kernel._cache._cache_file._source_stamp = stamp_of()
    return cast("Callable[P, R]", kernel)
