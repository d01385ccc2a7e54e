"""Runs blocks on all cores, in bounded memory, and gives their results back in order."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Protocol, TypeVar

import cv2

from kulchitsky.slide.blocks import Block

T = TypeVar("T")


class Store(Protocol[T]):
    """Keeps results of blocks, so that interrupted work goes on; as :mod:`kulchitsky.slide.checkpoint` does."""

    def load(self, number: int) -> T | None:
        """The result of a block, ``None`` when there is none."""

    def save(self, number: int, cells: T) -> None:
        """Keep the result of a block."""


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_blocks(
    blocks: Sequence[Block],
    work: Callable[[Block], T],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    checkpoint: Store[T] | None = None,
) -> list[T]:
    """Work off ``blocks`` and return their results in the order of ``blocks``, see :func:`finished_blocks`."""
    return list(finished_blocks(blocks, work, threads=threads, progress=progress, checkpoint=checkpoint))


def finished_blocks(
    blocks: Sequence[Block],
    work: Callable[[Block], T],
    *,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    checkpoint: Store[T] | None = None,
) -> Iterator[T]:
    """Work off ``blocks`` and give their results, each when those before it are done, in the order of ``blocks``.

    Decoding, OpenCV, compiled loops and the network all let go of Python's lock, so threads keep every core busy;
    each works on one block, and OpenCV's own threads are switched off. Results found in ``checkpoint`` are not
    computed again.
    """

    def one(block: Block) -> T:
        saved = checkpoint.load(block.number) if checkpoint is not None else None
        if saved is not None:
            return saved
        cells = work(block)
        if checkpoint is not None:
            checkpoint.save(block.number, cells)
        return cells

    cv2.setNumThreads(1)
    workers = max(1, threads or usable_cores())
    ready: dict[int, T] = {}
    done = given = 0
    with ThreadPoolExecutor(max_workers=workers) as pool:
        pending: dict[Future[T], int] = {}
        queue = iter(enumerate(blocks))
        try:
            while True:
                for index, block in itertools.islice(queue, 2 * workers - len(pending)):
                    pending[pool.submit(one, block)] = index
                if not pending:
                    break
                finished, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    ready[pending.pop(future)] = future.result()
                    done += 1
                    if progress is not None:
                        progress(done, len(blocks))
                while given in ready:
                    yield ready.pop(given)
                    given += 1
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
