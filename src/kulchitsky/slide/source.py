"""Where a slide's pixels come from: one face for every kind of file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

U8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Window = tuple[int, int, int, int]
"""Left, top, width, height."""


@dataclass(frozen=True, slots=True)
class SlideLevel:
    """One resolution: its size in its own pixels and how many level-0 pixels one of them spans."""

    width: int
    height: int
    downsample: float


@dataclass(frozen=True, slots=True)
class TileLog:
    """Tiles, as level and number: those asked for, and those of them that could not be decoded."""

    asked: frozenset[tuple[int, int]] = frozenset()
    unreadable: frozenset[tuple[int, int]] = frozenset()

    def __or__(self, other: TileLog) -> TileLog:
        return TileLog(self.asked | other.asked, self.unreadable | other.unreadable)


class Source(Protocol):
    """Where pixels come from."""

    levels: tuple[SlideLevel, ...]

    def region(self, level: int, window: Window, shrink: int, fill: int, wanted: Mask | None, out: U8) -> None:
        """Write into ``out`` the RGB of a window inside the level, in pixels of the level shrunk by ``shrink``."""

    def expect(self, level: int, windows: Sequence[Window], shrink: int) -> None:
        """Announce all windows that will be read, so that what several of them need is kept until the last."""

    def forget(self) -> None:
        """Let go of pixels kept for later, where there are any."""

    def close(self) -> None:
        """Give files back."""
