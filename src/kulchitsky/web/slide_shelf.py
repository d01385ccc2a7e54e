"""The slides this server may show: known by an id, never by a path that a browser sends.

The list is kept in ``slides.json`` of the data directory. Open slides and drawn tiles are kept in two bounded caches.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

from kulchitsky.case.errors import RefusedInput, RefusedSlide
from kulchitsky.web.bounded import Bounded
from kulchitsky.workup.not_there import NotThere
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN, stain_of_name
from kulchitsky.workup.viewer_tiles import ClosedSlide, SlideView

SLIDE_SUFFIXES = frozenset(
    {".svs", ".ndpi", ".mrxs", ".scn", ".bif", ".vms", ".vmu", ".tif", ".tiff", ".dcm", ".svslide", ".czi"}
    | {".png", ".jpg", ".jpeg", ".bmp"}
)
OPEN_SLIDES = 8
CACHED_TILES_BYTES = 96 << 20
FIRST_TILES = 6
FIRST_LEVELS = 4
"""A viewer first asks for the level that fits its window, in a few tiles, and the levels just above it."""


@dataclass(frozen=True, slots=True)
class ShelvedSlide:
    """One slide of the shelf. ``id`` is stable for a path, so that a link to a view keeps working."""

    id: str
    name: str
    path: str
    stain: str = "ki67"
    case_id: str = ""
    um_per_px: float | None = None


class SlideShelf:
    """Known slides, opened when looked at."""

    def __init__(self, data_dir: Path) -> None:
        self._index = data_dir / "slides.json"
        self._lock = threading.RLock()
        self._slides: dict[str, ShelvedSlide] = {}
        self._views: OrderedDict[str, SlideView] = OrderedDict()
        self._tiles: Bounded[tuple[str, int, int, int], bytes] = Bounded(CACHED_TILES_BYTES, len)
        if self._index.exists():
            self._slides = {slide.id: slide for slide in _read_index(self._index)}

    def __iter__(self) -> Iterator[ShelvedSlide]:
        with self._lock:
            return iter(sorted(self._slides.values(), key=lambda s: (s.case_id, s.name)))

    def add(
        self, path: Path, *, stain: str | None = None, case_id: str = "", um_per_px: float | None = None
    ) -> ShelvedSlide:
        """Put a slide file on the shelf (again); what is known of it already stays unless given anew.

        A stain that nobody gave is taken from the file name, else it is Ki-67.
        """
        if not path.is_file():
            raise RefusedSlide("there is no such slide file", source=str(path), remedy="check the path")
        path = path.resolve()
        slide_id = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        with self._lock:
            old = self._slides.get(slide_id)
            slide = ShelvedSlide(
                id=slide_id,
                name=path.name,
                path=str(path),
                stain=stain or (old.stain if old else stain_of_name(path.stem) or PROLIFERATION_STAIN),
                case_id=case_id or (old.case_id if old else ""),
                um_per_px=um_per_px or (old.um_per_px if old else None),
            )
            self._keep(slide)
        return slide

    def get(self, slide_id: str) -> ShelvedSlide:
        """The slide of an id; ``NotThere`` if it is not on the shelf."""
        with self._lock:
            if slide_id not in self._slides:
                raise NotThere(slide_id)
            return self._slides[slide_id]

    def of_case(self, case_id: str) -> tuple[ShelvedSlide, ...]:
        """The slides that belong to a case."""
        return tuple(slide for slide in self if slide.case_id == case_id)

    def set_scale(self, slide_id: str, um_per_px: float) -> ShelvedSlide:
        """Note the scale of a slide whose file does not say it."""
        with self._lock:
            slide = replace(self.get(slide_id), um_per_px=um_per_px)
            self._keep(slide)
            view = self._views.pop(slide_id, None)
        if view is not None:
            view.close()
        return slide

    def assign(self, slide_id: str, *, case_id: str, stain: str) -> ShelvedSlide:
        """Note which case a slide belongs to, and its stain."""
        with self._lock:
            slide = replace(self.get(slide_id), case_id=case_id, stain=stain)
            self._keep(slide)
        return slide

    def view(self, slide_id: str) -> SlideView:
        """The slide, open; the longest unused one is closed when too many are."""
        with self._lock:
            slide = self.get(slide_id)
            view = self._views.get(slide_id)
            if view is None:
                view = SlideView(Path(slide.path), um_per_px=slide.um_per_px)
                self._views[slide_id] = view
            self._views.move_to_end(slide_id)
            if len(self._views) > OPEN_SLIDES:
                self._views.popitem(last=False)[1].close()
        return view

    def fingerprint(self, slide_id: str) -> str:
        """Digest of the file, to notice that another file took its place."""
        return self.view(slide_id).fingerprint()

    def tile(self, slide_id: str, level: int, column: int, row: int) -> bytes:
        """JPEG of one tile, from the cache where possible."""
        key = (slide_id, level, column, row)
        with self._lock:
            known = self._tiles.get(key)
        if known is not None:
            return known
        try:
            jpeg = self.view(slide_id).tile(level, column, row)
        except ClosedSlide:  # another thread opened one slide too many in between
            jpeg = self.view(slide_id).tile(level, column, row)
        with self._lock:
            self._tiles.put(key, jpeg)
        return jpeg

    def prepare(self, slide_id: str) -> None:
        """Draw the coarse tiles that a viewer asks for first."""
        geometry = self.view(slide_id).geometry
        grids = [geometry.grid(level) for level in range(geometry.max_level + 1)]
        finest = max(level for level, (columns, rows) in enumerate(grids) if columns * rows <= FIRST_TILES)
        for level in range(max(0, finest - FIRST_LEVELS + 1), finest + 1):
            columns, rows = grids[level]
            for row, column in product(range(rows), range(columns)):
                self.tile(slide_id, level, column, row)

    def _keep(self, slide: ShelvedSlide) -> None:
        self._slides[slide.id] = slide
        beside = self._index.with_suffix(".json.new")
        beside.write_text(json.dumps([asdict(s) for s in self._slides.values()], indent=1), encoding="utf-8")
        os.replace(beside, self._index)


def _read_index(path: Path) -> list[ShelvedSlide]:
    try:
        return [ShelvedSlide(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError) as error:
        raise RefusedInput(
            "this is not the list of slides that the workbench wrote", source=str(path), remedy="move the file away"
        ) from error


def is_slide_name(name: str) -> bool:
    """Whether a file name looks like a slide or a photomicrograph."""
    return Path(name).suffix.lower() in SLIDE_SUFFIXES
