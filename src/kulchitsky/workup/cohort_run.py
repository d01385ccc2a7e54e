"""Hands out the work of a cohort and takes the outcomes in: slides in their order, bands side by side."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from distributed import Client, as_completed

from kulchitsky.case.cohort import SlideOutcome, SlideStatus
from kulchitsky.slide.bands import CountSettings
from kulchitsky.workup import cohort_tasks as tasks
from kulchitsky.workup.cohort_engine import threads_of
from kulchitsky.workup.cohort_list import CohortSlide
from kulchitsky.workup.cohort_store import CohortStore

Kind = Literal["brief", "band", "finish"]


@dataclass(frozen=True, slots=True)
class CohortProgress:
    """How far a run is: slides finished, of how many, failed or refused; ``share`` of the work, by file size."""

    slides_done: int
    slides: int
    unusable: int
    share: float


Tell = Callable[[CohortProgress], None]


@dataclass(slots=True)
class _InWork:
    slide: CohortSlide
    looked: Any
    attempt: int
    key: str = ""
    bands: int = 0
    bands_done: int = 0
    futures: list[Any] = field(default_factory=list)


class CohortRun:
    """One pass over the slides of a cohort. Outcomes are kept as they come; nothing is kept in memory."""

    def __init__(
        self,
        client: Client,
        slides: Sequence[CohortSlide],
        store: CohortStore,
        settings: CountSettings,
        *,
        retries: int = 2,
        tell: Tell | None = None,
    ) -> None:
        self._client, self._store, self._settings, self._retries = client, store, settings, retries
        self._tell = tell
        self._slides = slides
        self._waiting: Iterator[CohortSlide] = iter(slides)
        self._sizes = {s.slide: max(1, _size(s)) for s in slides}
        self._finished_size = 0.0
        self._finished = self._unusable = 0
        self.worked_on: set[str] = set()
        self._run = secrets.token_hex(4)
        self._in_work: dict[str, _InWork] = {}
        self._meaning: dict[str, tuple[Kind, str, int]] = {}
        self._completed = as_completed(with_results=False, raise_errors=False)

    def work_off(self) -> None:
        """Do all slides; returns when each has an outcome."""
        self._fill()
        for future in self._completed:
            kind, name, attempt = self._meaning.pop(future.key)
            work = self._in_work.get(name)
            if work is None or work.attempt != attempt:
                continue  # the slide has ended or was started again: a band that was still under way
            try:
                self._take(work, kind, future)
            except CancelledError:  # the worker that held the result went down before it was fetched
                self._lost(work)
            self._fill()
            self._report()

    def _take(self, work: _InWork, kind: Kind, future: Any) -> None:
        if future.status == "error":
            self._failed(work, future.exception())
        elif future.status != "finished":
            self._lost(work)
        elif kind == "brief":
            self._briefed(work, future.result())
        elif kind == "band":
            work.bands_done += 1
        else:
            self._end(work, future.result())

    def _fill(self) -> None:
        """Keep enough slides under way that no worker waits, and no more: memory stays bounded."""
        most = 2 * threads_of(self._client) + 2
        while len(self._in_work) < most:
            slide = next(self._waiting, None)
            if slide is None:
                return
            self._start(slide)

    def _start(self, slide: CohortSlide, attempt: int = 0) -> None:
        kept = self._store.load(slide.slide)
        done_key = kept.key if kept is not None and kept.status is not SlideStatus.FAILED else ""
        looked = self._submit(f"look-{attempt}", slide, tasks.look, slide, self._settings, done_key)
        work = _InWork(slide, looked, attempt, futures=[looked])
        self._in_work[slide.slide] = work
        self._watch(work, "brief", self._submit(f"brief-{attempt}", slide, tasks.brief, looked))

    def _briefed(self, work: _InWork, told: tasks.Brief) -> None:
        work.key, work.bands = told.key, told.bands
        if told.outcome is not None:
            self._end(work, told.outcome)
            return
        folder, slide = str(self._store.folder), work.slide
        if told.to_read:
            self._watch(work, "finish", self._submit(f"read-{work.attempt}", slide, tasks.read, work.looked, folder))
            return
        if told.bands == 0:
            self._end(work, None)
            return
        bands = [
            self._submit(f"band-{k}-{work.attempt}", slide, tasks.count_band, work.looked, k, folder)
            for k in range(told.bands)
        ]
        for future in bands:
            self._watch(work, "band", future)
        finish = self._submit(f"finish-{work.attempt}", slide, tasks.finish, work.looked, bands, folder)
        self._watch(work, "finish", finish)

    def _submit(self, what: str, slide: CohortSlide, function: Callable[..., Any], *arguments: Any) -> Any:
        key = f"{what}-{slide.slide}-{self._run}"
        # earlier slides first: their bands end, and their memory is given back
        return self._client.submit(
            function, *arguments, key=key, priority=-slide.number, retries=self._retries, pure=False
        )

    def _watch(self, work: _InWork, kind: Kind, future: Any) -> None:
        work.futures.append(future)
        self._meaning[future.key] = (kind, work.slide.slide, work.attempt)
        self._completed.add(future)

    def _lost(self, work: _InWork) -> None:
        """Results that went down with a worker: the slide is worked off again, from the bands that are on disk."""
        if work.attempt >= self._retries:
            self._failed(work, RuntimeError("its results were lost with a worker again and again"))
            return
        self._client.cancel([f for f in work.futures if f.status == "pending"])
        work.futures.clear()
        self._start(work.slide, work.attempt + 1)

    def _failed(self, work: _InWork, error: BaseException) -> None:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
        outcome = SlideOutcome(slide=work.slide.slide, key=work.key, status=SlideStatus.FAILED, reason=reason)
        pending = [f for f in work.futures if f.status == "pending"]
        self._client.cancel(pending)
        self._end(work, outcome)

    def _end(self, work: _InWork, outcome: SlideOutcome | None) -> None:
        """Take an outcome in; ``None`` for a slide that is up to date."""
        name = work.slide.slide
        if outcome is not None:
            self._store.keep(outcome)
            self.worked_on.add(name)
        kept = outcome or self._store.load(name)
        self._unusable += kept is None or not kept.done
        self._finished += 1
        self._finished_size += self._sizes[name]
        work.futures.clear()
        del self._in_work[name]

    def _report(self) -> None:
        if self._tell is None:
            return
        partly = sum(
            self._sizes[name] * 0.98 * work.bands_done / work.bands
            for name, work in self._in_work.items()
            if work.bands
        )
        share = (self._finished_size + partly) / sum(self._sizes.values())
        self._tell(CohortProgress(self._finished, len(self._slides), self._unusable, share))


def _size(slide: CohortSlide) -> int:
    try:
        return Path(slide.source.path).stat().st_size
    except OSError:
        return 0
