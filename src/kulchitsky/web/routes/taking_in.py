"""Corrections that come from elsewhere: regions drawn in QuPath, and those made to an earlier count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool

from kulchitsky.web import work
from kulchitsky.web.access import Bench, SignedIn
from kulchitsky.web.review_records import Carried, Changed, ImportedRegions
from kulchitsky.web.review_shelf import OpenReview
from kulchitsky.web.routes.review import changed
from kulchitsky.web.routes.slides import SlideId, safe_file_name
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.edit_log import Change, DrawRegion
from kulchitsky.workup.slide_review import Touched

router = APIRouter(tags=["review"])


@router.post("/slides/{slide_id}/regions.geojson", summary="Take in regions drawn in QuPath")
async def import_regions(
    request: Request,
    session: SignedIn,
    bench: Bench,
    slide_id: SlideId,
    name: Annotated[str, Query(max_length=200)] = "regions.geojson",
) -> ImportedRegions:
    """The request body is the GeoJSON export (level-0 pixels). Each region is a row of the log: it can be undone.

    All of them are taken in, or, where one cannot be, none.
    """
    text = await request.body()
    return await run_in_threadpool(_import, bench, slide_id, session.reader, text, safe_file_name(name))


def _import(bench: Workbench, slide_id: str, reader: str, text: bytes, name: str) -> ImportedRegions:
    opened = bench.reviews.open(slide_id, reader)
    geometry = bench.slides.view(slide_id).geometry
    size = (geometry.width_px, geometry.height_px)
    found = work.read_drawn_regions(text, name, opened.counted.count.um_per_px, size)
    with opened.lock:
        first = opened.review.new_region_id()
        drawings = [
            DrawRegion(region=first + number, role=role, polygon=outline)
            for number, (role, outline) in enumerate(found.regions)
        ]
        after = _make(bench, opened, drawings)
    tumour = sum(drawing.role == "tumour" for drawing in drawings)
    return ImportedRegions(
        tumour=tumour, exclusions=len(drawings) - tumour, passed_over=found.passed_over, changed=after
    )


@router.post("/slides/{slide_id}/carry-over", summary="Make the corrections of the earlier count again on this one")
def carry_over(session: SignedIn, bench: Bench, slide_id: SlideId) -> Carried:
    """By position: a cell found again is given its corrected class, an added one is added, regions are drawn.

    Every change is a row of the log and can be undone; asked a second time, nothing is left to do.
    """
    opened = bench.reviews.open(slide_id, session.reader)
    with opened.lock:
        carried = bench.reviews.carry_over(opened)
        if carried is None:
            raise HTTPException(404, "There are no corrections of an earlier count whose cells were kept.")
        return Carried(
            placed=carried.placed,
            agreeing=carried.agreeing,
            gone=carried.gone,
            not_placed=carried.not_placed,
            regions=carried.regions,
            changed=_make(bench, opened, carried.changes),
        )


def _make(bench: Workbench, opened: OpenReview, changes: Sequence[Change]) -> Changed:
    with opened.review.batch():
        for change in changes:
            bench.reviews.change(opened, change)
    return changed(bench, opened, Touched(regions=bool(changes), everything=bool(changes)))
