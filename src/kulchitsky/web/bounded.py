"""What is kept in memory to be quick again, up to a number of bytes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Values by key; those unused for longest are dropped when all together hold more than ``budget`` bytes.

    A value asked for less than ``rest_s`` seconds ago stays: a request may still be working with it. Not safe to use
    from several threads without a lock.
    """

    def __init__(self, budget: int, size_of: Callable[[V], int], *, rest_s: float = 0.0) -> None:
        self._budget = budget
        self._size_of = size_of
        self._rest_s = rest_s
        self._kept: OrderedDict[K, _Kept[V]] = OrderedDict()
        self.nbytes = 0
        """Bytes that the values hold, as they said when they were last asked for."""

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[K]:
        return iter(tuple(self._kept))

    def get(self, key: K) -> V | None:
        """A value, which is from now on the last to be dropped."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._take(key, kept.value)
        return kept.value

    def put(self, key: K, value: V) -> list[V]:
        """Keep a value; returns what had to be dropped for it."""
        self._take(key, value)
        dropped = []
        rested_before = time.monotonic() - self._rest_s
        while self.nbytes > self._budget and len(self._kept) > 1:
            oldest = next(iter(self._kept))
            if self._kept[oldest].used > rested_before:
                break
            dropped.append(self._kept[oldest].value)
            self.drop(oldest)
        return dropped

    def drop(self, key: K) -> V | None:
        """Forget a value."""
        kept = self._kept.pop(key, None)
        if kept is None:
            return None
        self.nbytes -= kept.size
        return kept.value

    def _take(self, key: K, value: V) -> None:
        self.drop(key)
        kept = _Kept(value, self._size_of(value), time.monotonic())
        self._kept[key] = kept
        self.nbytes += kept.size


@dataclass(frozen=True, slots=True)
class _Kept(Generic[V]):
    value: V
    size: int
    used: float
