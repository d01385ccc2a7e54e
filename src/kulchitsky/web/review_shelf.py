"""Counts and reviews in memory, loaded when looked at; the edit log behind them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kulchitsky.case.measure import HotSpot, SlideCount
from kulchitsky.case.verdict import SlidePicture
from kulchitsky.web import work
from kulchitsky.web.bounded import Bounded
from kulchitsky.workup.cell_heat import Counts, HeatGrid
from kulchitsky.workup.cell_layer import SQUARE_UM, CellTable, SquareIndex
from kulchitsky.workup.cell_measures import CellMeasures, load_measures
from kulchitsky.workup.counted_cells import former_cells, has_count, load_count
from kulchitsky.workup.edit_log import Change, EditLog, Finish, LogEntry, Redo, Undo
from kulchitsky.workup.kept_results import kept_pictures, kept_reading
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.recount import Recount, corrected_count, recount
from kulchitsky.workup.slide_review import SlideReview, Touched

if TYPE_CHECKING:
    from kulchitsky.workup.carry_over import CarriedOver

COUNTS_BYTES = 256 << 20
REVIEWS_BYTES = 128 << 20
REST_S = 60.0
"""What was looked at a minute ago may still be in use: it is not dropped, however full the memory."""

USED_FILE = "used.json"
HOTSPOT_CELLS = (500, 2000)


@dataclass(slots=True)
class CountedSlide:
    """One count of one slide, shared by its readers."""

    count: SlideCount
    table: CellTable
    index: SquareIndex
    heat: HeatGrid

    @property
    def nbytes(self) -> int:
        """Memory that the count holds."""
        return self.table.nbytes + self.index.nbytes + self.heat.nbytes


@dataclass(slots=True)
class OpenReview:
    """One reader's review in memory; ``lock`` is held for every look and every change."""

    slide_id: str
    reader: str
    counted: CountedSlide
    review: SlideReview
    lock: threading.RLock = field(default_factory=threading.RLock)
    _spots: tuple[HotSpot, ...] | None = None

    @property
    def hotspots(self) -> tuple[HotSpot, ...]:
        """The automatic hot spots, or those that were searched for again among the corrected cells."""
        return self.counted.count.hotspots if self._spots is None else self._spots

    def search_hotspots(self) -> None:
        """Search again among the cells as corrected, for windows of the same sizes."""
        sizes = tuple(s.cells_wanted for s in self.counted.count.hotspots if s.cells_wanted) or HOTSPOT_CELLS
        self._spots = work.search_hotspots(self.review, sizes)

    def heat_tile(self, level: int, column: int, row: int) -> tuple[Counts, Counts]:
        """Cells and positive cells per bin as they stand."""
        return self.counted.heat.tile_of(self.review, level, column, row)

    def recount(self) -> Recount:
        """The figures of the present state."""
        return recount(self.review, self.hotspots)

    def corrected(self) -> SlideCount:
        """The count as it stands, in the form that a case and its report take."""
        return corrected_count(self.review, self.counted.count, self.hotspots, self.reader)


class ReviewShelf:
    """Reviews of every slide and reader, from the counts and the log in the data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.counts_dir = data_dir / "counts"
        self.log = EditLog(data_dir / "edits.db")
        self._lock = threading.RLock()
        self._counted: Bounded[str, CountedSlide] = Bounded(COUNTS_BYTES, lambda c: c.nbytes, rest_s=REST_S)
        self._reviews: Bounded[tuple[str, str], OpenReview] = Bounded(
            REVIEWS_BYTES, lambda opened: opened.review.nbytes, rest_s=REST_S
        )

    def close(self) -> None:
        """Close the log."""
        self.log.close()

    def count_dir(self, slide_id: str) -> Path:
        """Where the count of a slide is kept."""
        return self.counts_dir / slide_id

    def pictures(self, slide_id: str) -> tuple[SlidePicture, ...]:
        """Pictures of a slide's count, their paths relative to ``counts_dir``."""
        return kept_pictures(self.count_dir(slide_id))

    def finished(self, slide_id: str, reader: str) -> SlideReview:
        """A reader's review as it stood when the reader declared it finished."""
        counted = self.counted(slide_id)
        if counted is None:
            raise NotThere(slide_id)
        review = SlideReview(counted.table, counted.index)
        for entry in self.log.entries(slide_id, counted.table.count_id, reader):
            review.take(entry.body)
            if isinstance(entry.body, Finish):
                break
        return review

    def forget(self, slide_id: str) -> None:
        """Drop what is held of a slide's old count: a new one took its place."""
        (self.count_dir(slide_id) / USED_FILE).unlink(missing_ok=True)
        with self._lock:
            self._counted.drop(slide_id)
            self._close_reviews(slide_id)

    def counted(self, slide_id: str) -> CountedSlide | None:
        """The count of a slide, or ``None`` if it was not counted yet."""
        with self._lock:
            known = self._counted.get(slide_id)
            if known is None:
                loaded = load_count(self.count_dir(slide_id))
                if loaded is None:
                    return None
                count, table = loaded
                known = CountedSlide(count, table, SquareIndex(table.x_um, table.y_um, SQUARE_UM), HeatGrid(table))
                self._close_dropped(self._counted.put(slide_id, known))
            return known

    def used(self, slide_id: str) -> SlideCount | None:
        """The count that the slide's case uses: a reader's corrected one where chosen, else the automatic one."""
        chosen = self.count_dir(slide_id) / USED_FILE
        if chosen.is_file():
            return SlideCount.model_validate_json(chosen.read_text(encoding="utf-8"))
        counted = self.counted(slide_id)
        return None if counted is None else counted.count

    def use(self, opened: OpenReview) -> SlideCount:
        """Make a reader's corrected count the one that the case uses."""
        with opened.lock:
            corrected = opened.corrected()
        path = self.count_dir(opened.slide_id) / USED_FILE
        beside = path.with_suffix(".new")
        beside.write_text(corrected.model_dump_json(), encoding="utf-8")
        os.replace(beside, path)
        return corrected

    def features(self, opened: OpenReview) -> Iterator[dict[str, Any]]:
        """Cells as the reader left them, for other programs."""
        outlines = work.load_outlines(self.count_dir(opened.slide_id), len(opened.review.table))
        return work.corrected_features(opened.review, outlines, opened.counted.count.um_per_px, opened.reader)

    def is_counted(self, slide_id: str) -> bool:
        """Whether a slide has been counted or read, without loading its cells."""
        directory = self.count_dir(slide_id)
        return slide_id in self._counted or has_count(directory) or kept_reading(directory) is not None

    def is_finished(self, opened: OpenReview) -> bool:
        """Whether the reader has declared this reading finished."""
        return self.log.readers(opened.slide_id, opened.review.table.count_id).get(opened.reader, False)

    def measures(self, opened: OpenReview) -> CellMeasures | None:
        """What was measured of the count's cells; ``None`` for a count that kept none."""
        return load_measures(self.count_dir(opened.slide_id), len(opened.review.table))

    def was_corrected(self, slide_id: str) -> bool:
        """Whether any reader corrected the present count of a slide."""
        counted = self.counted(slide_id)
        return counted is not None and bool(self.log.readers(slide_id, counted.table.count_id))

    def carry_over(self, opened: OpenReview) -> CarriedOver | None:
        """What the reader's corrections of the count before this one come to here; ``None`` where there are none."""
        count_id = opened.review.table.count_id
        for former_id in self.log.former_counts(opened.slide_id, count_id, opened.reader):
            table = former_cells(self.count_dir(opened.slide_id), former_id)
            if table is not None:
                earlier = SlideReview(table)
                earlier.replay(self.log.entries(opened.slide_id, former_id, opened.reader))
                return work.carry_over(earlier, opened.review)
        return None

    def edits_of_other_counts(self, opened: OpenReview) -> int:
        """Corrections that this reader made to earlier counts of the slide: kept, not applied."""
        return self.log.rows_of_other_counts(opened.slide_id, opened.review.table.count_id, opened.reader)

    def open(self, slide_id: str, reader: str) -> OpenReview:
        """A reader's review, replayed from the log when not in memory. ``NotThere`` if there is no count."""
        with self._lock:
            key = (slide_id, reader)
            known = self._reviews.get(key)
            if known is None:
                known = self._load(slide_id, reader)
                self._reviews.put(key, known)
            return known

    def change(self, open_review: OpenReview, body: Change | Undo | Redo | Finish) -> tuple[LogEntry, Touched]:
        """Check, log, then apply: what is seen is what is on the disk."""
        with open_review.lock:
            open_review.review.check(body)
            count_id = open_review.review.table.count_id
            entry = self.log.append(open_review.slide_id, count_id, open_review.reader, body)
            return entry, open_review.review.take(body)

    def _close_dropped(self, dropped: list[CountedSlide]) -> None:
        """Reviews hold on to their count: they go with it, and come again from the log."""
        for key in self._reviews:
            opened = self._reviews.get(key)
            if opened is not None and any(opened.counted is counted for counted in dropped):
                self._reviews.drop(key)

    def _close_reviews(self, slide_id: str) -> None:
        for key in self._reviews:
            if key[0] == slide_id:
                self._reviews.drop(key)

    def _load(self, slide_id: str, reader: str) -> OpenReview:
        counted = self.counted(slide_id)
        if counted is None:
            raise NotThere(f"slide {slide_id} has no count")
        review = SlideReview(counted.table, counted.index)
        review.replay(self.log.entries(slide_id, counted.table.count_id, reader))
        return OpenReview(slide_id, reader, counted, review)
