"""Arrays used again from block to block: fresh memory costs more than most of what is computed in it.

A page touched for the first time is cleared by the system; on planes of a few megabytes that takes longer than a
filter does. Each thread has its own arrays, and they go with the object that holds them.
"""

from __future__ import annotations

import math
import threading
from typing import Any

from numpy.typing import DTypeLike, NDArray

from kulchitsky.slide.pages import pages


class Buffers(threading.local):
    """Named arrays of the calling thread. What :meth:`array` gave is overwritten when the name is asked for again."""

    def __init__(self) -> None:
        self._kept: dict[str, NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of the shape, its content left over from earlier use."""
        size = math.prod(shape)
        flat = self._kept.get(name)
        if flat is None or flat.size < size or flat.dtype != dtype:
            self._kept.pop(name, None)
            flat = pages((size,), dtype, touched=True)
            self._kept[name] = flat
        return flat[:size].reshape(shape)
