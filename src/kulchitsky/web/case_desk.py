"""The worked-up case behind the pages of one case: computed when something changed, kept until it does."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.case.record import Case, MarkerResult
from kulchitsky.case.verdict import GradeVerdict, WorkedUpCase
from kulchitsky.web import work
from kulchitsky.web.reading_shelf import ReadingShelf
from kulchitsky.web.review_shelf import ReviewShelf
from kulchitsky.web.slide_shelf import SlideShelf
from kulchitsky.workup.case_shelf import CaseShelf, KeptCase
from kulchitsky.workup.kept_results import kept_reading
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN

KEPT_RESULTS = 64
NOTHING: Mapping[str, SlideCount] = MappingProxyType({})


class CaseDesk:
    """Brings a case, its counts and its text together and works it up."""

    def __init__(self, cases: CaseShelf, slides: SlideShelf, reviews: ReviewShelf, readings: ReadingShelf) -> None:
        self.cases = cases
        self._slides = slides
        self._reviews = reviews
        self._readings = readings
        self._results: OrderedDict[tuple[str, ...], WorkedUpCase] = OrderedDict()
        self._lock = threading.Lock()

    def worked(
        self, case_id: str, *, what_if: Sequence[MarkerResult] = (), diagnosis: str | None = None
    ) -> tuple[KeptCase, WorkedUpCase]:
        """The case as kept and worked up; ``what_if`` replaces results of markers. ``NotThere`` if unknown."""
        kept = self.cases.get(case_id)
        case = work.with_markers(kept.case, what_if) if what_if else kept.case
        counts = self.counts(case_id)
        asked = {result.marker for result in what_if}
        readings = tuple(r for r in self.readings(case_id) if r.marker not in asked)
        seen = (*counts, *readings)
        key = (case.model_dump_json(), diagnosis or "", *(measure.model_dump_json() for measure in seen))
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return kept, self._results[key]
        worked = self._work_up(case, counts, readings, diagnosis)
        with self._lock:
            self._results[key] = worked
            while len(self._results) > KEPT_RESULTS:
                self._results.popitem(last=False)
        return kept, worked

    def grades_now(self, slide_id: str, count: SlideCount) -> tuple[GradeVerdict, ...]:
        """The grades were ``count`` the one that the slide's case uses: what the report would then state."""
        slide = self._slides.get(slide_id)
        if not (slide.case_id and self.cases.has(slide.case_id)):
            return work.grade_of_one_count(count)
        if slide.stain != PROLIFERATION_STAIN:
            return ()
        counts = self.counts(slide.case_id, instead={slide_id: count})
        return work.grade_of_counts(self.cases.get(slide.case_id).case, counts, self.readings(slide.case_id))

    def counts(self, case_id: str, *, instead: Mapping[str, SlideCount] = NOTHING) -> tuple[SlideCount, ...]:
        """The counts of the case's Ki-67 slides: the one a reader chose to use, else the automatic one.

        ``instead`` holds counts, by slide id, that take the place of those kept.
        """
        slides = [slide for slide in self._slides.of_case(case_id) if slide.stain == PROLIFERATION_STAIN]
        found = (instead.get(slide.id) or self._reviews.used(slide.id) for slide in slides)
        return tuple(count for count in found if count is not None)

    def readings(self, case_id: str) -> tuple[StainReading, ...]:
        """The readings of the case's other slides."""
        found = (kept_reading(self._reviews.count_dir(slide.id)) for slide in self._slides.of_case(case_id))
        return tuple(reading for reading in found if reading is not None)

    def _work_up(
        self,
        case: Case,
        counts: Sequence[SlideCount],
        readings: Sequence[StainReading],
        diagnosis: str | None,
    ) -> WorkedUpCase:
        kept = self._readings.of_case(case.id)
        slides = self._slides.of_case(case.id)
        pictures = tuple(p for slide in slides for p in self._reviews.pictures(slide.id))
        return work.work_up_record(
            case,
            counts=counts,
            readings=readings,
            pictures=pictures,
            reading=kept.reading if kept else None,
            diagnosis=diagnosis,
        )
