"""Counts that run in the background, one at a time, with their progress."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from kulchitsky.case.errors import KulchitskyError

JobState = Literal["idle", "waiting", "running", "done", "failed"]
Progress = Callable[[int, int], None]


class Cancelled(Exception):
    """The count was told to stop."""


@dataclass(slots=True)
class CountJob:
    """One count: how far it is, and how it ended."""

    state: JobState = "waiting"
    done: int = 0
    total: int = 0
    message: str = "Waiting for another count to end."
    started: float = 0.0
    stop: bool = False

    @property
    def fraction(self) -> float | None:
        """Share done, once known."""
        return self.done / self.total if self.total else None


class CountJobs:
    """Runs counts in one background thread; the counting itself uses every core."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="count")
        self._jobs: dict[str, CountJob] = {}
        self._lock = threading.Lock()

    def get(self, slide_id: str) -> CountJob:
        """The newest count of a slide; an idle one if there was none since the server started."""
        return self._jobs.get(slide_id, CountJob(state="idle", message=""))

    def start(self, slide_id: str, work: Callable[[Progress], object]) -> CountJob:
        """Queue a count; one that waits or runs already is returned as it is."""
        with self._lock:
            job = self._jobs.get(slide_id)
            if job is not None and job.state in ("waiting", "running"):
                return job
            job = self._jobs[slide_id] = CountJob()
            self._pool.submit(self._run, job, work)
            return job

    def cancel(self, slide_id: str) -> CountJob:
        """Ask a count to stop; it stops at the next block and can be resumed by counting again."""
        job = self.get(slide_id)
        job.stop = True
        return job

    def close(self) -> None:
        """Stop what runs and take nothing more."""
        for job in self._jobs.values():
            job.stop = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, job: CountJob, work: Callable[[Progress], object]) -> None:
        if job.stop:
            job.state, job.message = "failed", "Stopped."
            return
        job.state, job.message, job.started = "running", "Looking for tissue …", time.monotonic()
        try:
            work(lambda done, total: _progress(job, done, total))
        except Cancelled:
            job.state, job.message = "failed", "Stopped. Counting again goes on where it stopped."
        except KulchitskyError as error:
            job.state, job.message = "failed", str(error)
        except Exception as error:  # a background thread has nobody above it: the page must be told
            traceback.print_exc()
            job.state, job.message = "failed", f"Internal error: {type(error).__name__}"
        else:
            job.state, job.message = "done", f"Counted in {time.monotonic() - job.started:.0f} s."


def _progress(job: CountJob, done: int, total: int) -> None:
    if job.stop:
        raise Cancelled
    job.done, job.total = done, total
    spent = time.monotonic() - job.started
    left = spent / done * (total - done) if done else None
    job.message = f"{done} of {total} blocks" + (f", about {left:.0f} s left" if left is not None else "")
