"""Large arrays in memory of their own, which goes back to the system with them.

The heap keeps what is freed in its middle; after some large arrays of different sizes and lives, that is most of it.
"""

from __future__ import annotations

import ctypes
import math
import mmap
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

_HUGE_BYTES: Final = 4 * 2**20


def pages(shape: tuple[int, ...], dtype: DTypeLike, *, touched: bool = False) -> NDArray[Any]:
    """An array of zeros; the system gives each page of it when it is first written to.

    Say ``touched`` of an array that will be written from end to end: the system may then use larger pages.
    """
    items = math.prod(shape)
    memory = mmap.mmap(-1, max(1, items * np.dtype(dtype).itemsize))
    if touched and len(memory) >= _HUGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.frombuffer(memory, dtype, count=items).reshape(shape)


def trim_heap() -> None:
    """Give what the heap holds free back to the system, where its C library can (that of GNU)."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        return
