"""Single cells: what was measured of one, and which are most open to doubt."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as InPath

from kulchitsky.web.access import Bench, SignedIn
from kulchitsky.web.review_records import CellFacts, DoubtfulCells
from kulchitsky.web.review_shelf import OpenReview
from kulchitsky.web.routes.slides import SlideId
from kulchitsky.workup.cell_measures import CellMeasures
from kulchitsky.workup.doubtful_cells import doubtful_cells
from kulchitsky.workup.recount import spot_radius_um

router = APIRouter(tags=["review"])


@router.get("/slides/{slide_id}/cell/{cell}.json", summary="One cell: class, staining, area")
def cell_facts(
    session: SignedIn, bench: Bench, slide_id: SlideId, cell: Annotated[int, InPath(ge=0, lt=1 << 32)]
) -> CellFacts:
    """The signal is the optical density that the cut is applied to."""
    opened = bench.reviews.open(slide_id, session.reader)
    measures = bench.reviews.measures(opened)
    with opened.lock:
        return _facts(opened, measures, cell)


@router.get("/slides/{slide_id}/doubtful.json", summary="Cells nearest the cut, most doubtful first")
def doubtful(
    session: SignedIn,
    bench: Bench,
    slide_id: SlideId,
    within: Literal["spot", "slide"] = "spot",
    most: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> DoubtfulCells:
    """Those of the hottest spot, or of the whole slide; what the reader has corrected is settled and left out."""
    opened = bench.reviews.open(slide_id, session.reader)
    measures, cut_od = bench.reviews.measures(opened), _cut_od(opened)
    if measures is None or cut_od is None:
        raise HTTPException(404, "This count kept no measures of its cells: count the slide again to have them.")
    with opened.lock:
        spot = opened.hotspots[0] if within == "spot" and opened.hotspots else None
        circle = None if spot is None else (*spot.centre_um, spot_radius_um(spot))
        cells = doubtful_cells(opened.review, measures, cut_od, circle=circle, most=most)
        return DoubtfulCells(
            cut_od=cut_od,
            within="the whole slide" if spot is None else "hot spot 1",
            cells=tuple(_facts(opened, measures, int(cell)) for cell in cells),
        )


def _facts(opened: OpenReview, measures: CellMeasures | None, cell: int) -> CellFacts:
    review = opened.review
    klass, counted = review.klass_of(cell), cell < len(review.table)
    x, y = review.position_of(cell)
    known = measures.rows[cell] if measures is not None and counted else None
    return CellFacts(
        cell=cell,
        x_um=x,
        y_um=y,
        klass=klass,
        automatic=int(review.table.klass[cell]) if counted else None,
        signal_od=None if known is None else float(known[0]),
        cut_od=_cut_od(opened),
        area_um2=None if known is None else float(known[1]),
    )


def _cut_od(opened: OpenReview) -> float | None:
    cut = opened.counted.count.method.get("cut_od")
    return float(cut) if isinstance(cut, int | float) and cut > 0 else None
