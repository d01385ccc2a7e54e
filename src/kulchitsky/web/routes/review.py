"""Cells, heat map, corrections, and the figures that follow."""

from __future__ import annotations

import math
import struct
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Response
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from numpy.typing import NDArray

from kulchitsky.web import work
from kulchitsky.web.access import Bench, SignedIn
from kulchitsky.web.review_records import (
    Changed,
    DropRegion,
    FlipCells,
    GradeNow,
    History,
    LogLine,
    PutCell,
    PutRegion,
    Region,
    ReviewPage,
    Wanted,
)
from kulchitsky.web.review_shelf import OpenReview
from kulchitsky.web.routes.slides import SlideId, safe_file_name
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.cell_heat import TILE_BINS
from kulchitsky.workup.cell_layer import SQUARE_UM
from kulchitsky.workup.edit_log import (
    AddCell,
    Change,
    DrawRegion,
    Finish,
    Redo,
    RemoveRegion,
    Revert,
    SetCells,
    Undo,
)
from kulchitsky.workup.slide_review import Touched

router = APIRouter(tags=["review"])
BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}}
Square = Annotated[int, InPath(ge=0, le=100_000)]


@router.get("/slides/{slide_id}/review.json", summary="A reader's review of a counted slide")
def review_page(session: SignedIn, bench: Bench, slide_id: SlideId) -> ReviewPage:
    """Figures, regions, and how the cells are laid out in squares."""
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        heat = opened.counted.heat
        index = opened.review.index
        counts = _on_slide(bench, opened, index.counts())
        return ReviewPage(
            slide_id=slide_id,
            reader=session.reader,
            count=opened.counted.count,
            recount=opened.recount(),
            grades=_grades(bench, opened),
            hotspots=opened.hotspots,
            regions=_regions(opened),
            square_um=index.side_um,
            square_columns=counts.shape[1],
            square_rows=counts.shape[0],
            square_cells=tuple(counts.ravel().tolist()),
            heat_bin_um=heat.bin_um,
            heat_levels=heat.levels,
            heat_tile_bins=TILE_BINS,
            finished=bench.reviews.is_finished(opened),
            edits_of_other_counts=bench.reviews.edits_of_other_counts(opened),
        )


@router.get(
    "/slides/{slide_id}/cells/{column}/{row}",
    summary="Cells of one square, binary",
    response_class=Response,
    responses=BINARY,
)
def cells(session: SignedIn, bench: Bench, slide_id: SlideId, column: Square, row: Square) -> Response:
    """Little-endian: uint32 n, uint32 version, uint32 id[n], float32 x_um[n], float32 y_um[n], uint8 class[n]."""
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        ids, x, y, klass = opened.review.square(column, row)
        version = opened.review.version
    body = struct.pack("<II", ids.size, version) + ids.astype("<u4").tobytes()
    body += x.astype("<f4").tobytes() + y.astype("<f4").tobytes() + klass.tobytes()
    return Response(body, media_type="application/octet-stream")


@router.get(
    "/slides/{slide_id}/heat/{level}/{column}/{row}",
    summary="One tile of the heat map, binary",
    response_class=Response,
    responses=BINARY,
)
def heat(
    session: SignedIn,
    bench: Bench,
    slide_id: SlideId,
    level: Annotated[int, InPath(ge=0, le=30)],
    column: Square,
    row: Square,
) -> Response:
    """Little-endian: uint32 bins, uint32 version, then uint32 cells[bins²] and uint32 positive[bins²], row by row."""
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        counted, positive = opened.heat_tile(level, column, row)
        version = opened.review.version
    body = struct.pack("<II", TILE_BINS, version)
    body += counted.astype("<u4").tobytes() + positive.astype("<u4").tobytes()
    return Response(body, media_type="application/octet-stream")


@router.post("/slides/{slide_id}/edits", summary="Correct cells, draw regions, undo, redo, revert, finish")
def change(session: SignedIn, bench: Bench, slide_id: SlideId, wanted: Wanted) -> Changed:
    """The change is on the disk when this answers."""
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        body = _body(opened, wanted)
        _, touched = bench.reviews.change(opened, body)
        return changed(bench, opened, touched, cell=body.cell if isinstance(body, AddCell) else None)


def changed(bench: Workbench, opened: OpenReview, touched: Touched, *, cell: int | None = None) -> Changed:
    """The state after a change, and which squares it touched."""
    everything = touched.regions or touched.everything or len(touched.cells) > 5000
    squares = None if everything else {_square_of(opened, each) for each in touched.cells}
    return Changed(
        recount=opened.recount(),
        grades=_grades(bench, opened),
        squares=None if squares is None else tuple(sorted(squares)),
        regions=_regions(opened),
        cell=cell,
        finished=bench.reviews.is_finished(opened),
    )


@router.post("/slides/{slide_id}/hotspots", summary="Search the hot spots again among the corrected cells")
def search_again(session: SignedIn, bench: Bench, slide_id: SlideId) -> ReviewPage:
    """Windows of the same numbers of cells as the automatic ones."""
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        opened.search_hotspots()
    return review_page(session, bench, slide_id)


@router.get(
    "/slides/{slide_id}/cells.geojson.gz",
    summary="Cells as this reader left them, as QuPath reads them",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/gzip": {}}}},
)
def export(session: SignedIn, bench: Bench, slide_id: SlideId) -> StreamingResponse:
    """Detections in level-0 pixels, class Positive, Negative or Ignore*; metadata says what was corrected."""
    opened = bench.reviews.open(slide_id, session.reader)
    name = f"{bench.slides.get(slide_id).name}-cells.geojson.gz"
    headers = {"Content-Disposition": f'attachment; filename="{safe_file_name(name)}"'}
    pieces = work.geojson_gz(bench.reviews.features(opened))
    return StreamingResponse(pieces, media_type="application/gzip", headers=headers)


@router.get("/slides/{slide_id}/edits.json", summary="The newest rows of the edit log")
def history(
    session: SignedIn, bench: Bench, slide_id: SlideId, last: Annotated[int, Query(ge=1, le=1000)] = 50
) -> History:
    """Who changed what, when; newest first. A reader sees only the own log until the reading is finished."""
    opened = bench.reviews.open(slide_id, session.reader)
    entries = bench.reviews.log.entries(slide_id, opened.review.table.count_id, session.reader, last=last)
    lines = (
        LogLine(seq=e.seq, at=e.at, reader=e.reader, kind=e.body.kind, words=_words(e.body))
        for e in reversed(entries)
    )
    return History(lines=tuple(lines))


def _body(opened: OpenReview, wanted: Wanted) -> Change | Undo | Redo | Finish:
    review = opened.review
    if isinstance(wanted, FlipCells):
        before = tuple(review.klass_of(cell) for cell in wanted.cells)
        return SetCells(cells=tuple(wanted.cells), before=before, after=wanted.after)
    if isinstance(wanted, PutCell):
        return AddCell(cell=review.new_cell_id(), x_um=wanted.x_um, y_um=wanted.y_um, after=wanted.after)
    if isinstance(wanted, PutRegion):
        return DrawRegion(region=review.new_region_id(), role=wanted.role, polygon=wanted.polygon)
    if isinstance(wanted, DropRegion):
        return RemoveRegion(region=wanted.region)
    return STEPS[wanted.kind]


def _on_slide(bench: Workbench, opened: OpenReview, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cells per square over the whole slide: a reader may add one where none was found."""
    geometry = bench.slides.view(opened.slide_id).geometry
    side_px = SQUARE_UM / opened.counted.count.um_per_px
    rows, columns = (math.ceil(size / side_px) for size in (geometry.height_px, geometry.width_px))
    missing = (max(0, rows - counts.shape[0]), max(0, columns - counts.shape[1]))
    return np.pad(counts, [(0, missing[0]), (0, missing[1])])


def _grades(bench: Workbench, opened: OpenReview) -> tuple[GradeNow, ...]:
    verdicts = bench.desk.grades_now(opened.slide_id, opened.corrected())
    return tuple(GradeNow(system=v.system, grade=v.grade, probabilities=v.probabilities) for v in verdicts)


def _regions(opened: OpenReview) -> tuple[Region, ...]:
    return tuple(Region.model_validate(asdict(region)) for region in opened.review.regions)


def _square_of(opened: OpenReview, cell: int) -> tuple[int, int]:
    x, y = opened.review.position_of(cell)
    side = opened.review.index.side_um
    return int(np.floor(x / side)), int(np.floor(y / side))


STEPS: dict[str, Revert | Undo | Redo | Finish] = {
    "undo": Undo(),
    "redo": Redo(),
    "revert": Revert(),
    "finish": Finish(),
}
CLASS_WORDS = ("negative", "positive", "not counted")


def _words(body: Change | Undo | Redo | Finish) -> str:
    if isinstance(body, SetCells):
        what = f"cell {body.cells[0]}" if len(body.cells) == 1 else f"{len(body.cells)} cells"
        before = {CLASS_WORDS[b] for b in body.before}
        return f"{what}: {' or '.join(sorted(before))} → {CLASS_WORDS[body.after]}"
    if isinstance(body, AddCell):
        return f"cell {body.cell} added as {CLASS_WORDS[body.after]} at {body.x_um:.0f}, {body.y_um:.0f} µm"
    if isinstance(body, DrawRegion):
        return f"{body.role} region {body.region} drawn"
    if isinstance(body, RemoveRegion):
        return f"region {body.region} removed"
    return {"revert": "back to the automatic result", "undo": "undo", "redo": "redo", "finish": "finished"}[body.kind]
