"""What is prepared while nobody waits for it: what the next page will need."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from kulchitsky.case.errors import KulchitskyError
from kulchitsky.web import work
from kulchitsky.web.review_shelf import ReviewShelf
from kulchitsky.web.slide_shelf import ShelvedSlide, SlideShelf
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN


class Ahead:
    """Prepares in one background thread. Nothing depends on it: what is not ready is made when it is asked for."""

    def __init__(self, slides: SlideShelf, reviews: ReviewShelf) -> None:
        self._slides = slides
        self._reviews = reviews
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._asked: set[str] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End what is being prepared, and begin nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def wait(self) -> None:
        """Return when all that was asked for so far is ready."""
        self._pool.submit(lambda: None).result()

    def grading(self) -> None:
        """A slide or a case will be looked at: knowledge base and rules."""
        self._once("grading", work.load_grading)

    def prose(self) -> None:
        """A report will be pasted: the language tools."""
        self._once("prose", lambda: work.read_prose)

    def slide(self, slide: ShelvedSlide) -> None:
        """A slide is being opened: its coarse tiles and its count; where it has none, what counts."""
        self._soon(lambda: self._slides.prepare(slide.id))
        if slide.stain == PROLIFERATION_STAIN and self._reviews.is_counted(slide.id):
            self._soon(lambda: self._reviews.counted(slide.id))
            self.grading()
        else:
            self._once("counting", lambda: work.count_for_review)

    def _once(self, what: str, prepare: Callable[[], object]) -> None:
        with self._lock:
            if what in self._asked:
                return
            self._asked.add(what)
        self._soon(prepare)

    def _soon(self, prepare: Callable[[], object]) -> None:
        try:
            self._pool.submit(_quietly, prepare)
        except RuntimeError:  # the server is closing
            return


def _quietly(prepare: Callable[[], object]) -> None:
    """Refused input is for the page that asks for it; anything else is a defect, told where the server logs."""
    try:
        prepare()
    except (KulchitskyError, NotThere):
        return
    except Exception:  # a background thread has nobody above it
        traceback.print_exc()
