"""Counting a slide with live progress, using a corrected count, comparing readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as InPath
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.web import work
from kulchitsky.web.access import Bench, SignedIn
from kulchitsky.web.count_jobs import CountJob, CountJobs, JobState, Progress
from kulchitsky.web.routes.slides import SlideId
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.agreement_record import ReaderAgreement
from kulchitsky.workup.kept_results import kept_reading
from kulchitsky.workup.slide_names import PROLIFERATION_STAIN

router = APIRouter(tags=["counts"])
POLL_SECONDS = 0.25


class CountWanted(BaseModel):
    """How to count."""

    detector: Literal["fast", "accurate"] = "accurate"


class CountState(BaseModel):
    """How far a count is."""

    state: JobState
    fraction: Annotated[float, Field(ge=0, le=1)] | None
    message: str


class Agreements(BaseModel):
    """Every pair of finished readings."""

    message: str
    agreements: tuple[ReaderAgreement, ...]


@router.post(
    "/slides/{slide_id}/count",
    status_code=202,
    summary="Count a Ki-67 slide, or read another stain, in the background",
)
def start(bench: Bench, slide_id: SlideId, wanted: CountWanted) -> CountState:
    """It runs in the background: follow it at ``count/events``.

    Corrections of an earlier count stay in the log with its cells; ``carry-over`` makes them again on the new one.
    """
    slide = bench.slides.get(slide_id)
    geometry = bench.slides.view(slide_id).geometry
    if geometry.um_per_px is None:
        raise HTTPException(422, "The slide has no scale: give its µm per pixel first.")

    def look(progress: Progress) -> None:
        path, directory = Path(slide.path), bench.reviews.count_dir(slide_id)
        how: dict[str, Any] = {"detector": wanted.detector, "um_per_px": slide.um_per_px, "progress": progress}
        if slide.stain == PROLIFERATION_STAIN:
            keep = bench.reviews.was_corrected(slide_id)
            work.count_for_review(path, directory, keep_former=keep, **how)
            bench.reviews.forget(slide_id)
        else:
            work.read_for_review(path, directory, marker=slide.stain, **how)

    return _state(bench.jobs.start(slide_id, look))


@router.get("/slides/{slide_id}/count.json", summary="How far a count is")
def state(bench: Bench, slide_id: SlideId) -> CountState:
    """Idle if none was started since the server began."""
    bench.slides.get(slide_id)
    return _state(bench.jobs.get(slide_id))


@router.post("/slides/{slide_id}/count/stop", summary="Stop a count")
def stop(bench: Bench, slide_id: SlideId) -> CountState:
    """It stops at the next block; counting again goes on where it stopped."""
    bench.slides.get(slide_id)
    return _state(bench.jobs.cancel(slide_id))


@router.get(
    "/slides/{slide_id}/count/events",
    summary="Progress of a count as server-sent events",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def events(bench: Bench, slide_id: SlideId) -> StreamingResponse:
    """``progress`` while it runs, then ``done`` or ``failed``; ends at once when nothing runs."""
    bench.slides.get(slide_id)
    return StreamingResponse(_events(bench.jobs, slide_id), media_type="text/event-stream")


@router.get("/slides/{slide_id}/reading.json", summary="What a slide of another stain than Ki-67 shows")
def stain_reading(bench: Bench, slide_id: SlideId) -> StainReading:
    """Extent, intensity, compartment and pattern, once the slide has been read."""
    bench.slides.get(slide_id)
    reading = kept_reading(bench.reviews.count_dir(slide_id))
    if reading is None:
        raise HTTPException(404, "This slide has not been read yet.")
    return reading


@router.get(
    "/slides/{slide_id}/pictures/{number}",
    summary="A picture made while counting or reading",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}},
)
def picture(bench: Bench, slide_id: SlideId, number: Annotated[int, InPath(ge=0, le=9)]) -> Response:
    """Pictures are numbered as in the report."""
    bench.slides.get(slide_id)
    pictures = bench.reviews.pictures(slide_id)
    if number >= len(pictures):
        raise HTTPException(404, "There is no such picture.")
    return Response((bench.reviews.counts_dir / pictures[number].path).read_bytes(), media_type="image/png")


@router.post("/slides/{slide_id}/use", summary="Use this reader's corrected count for the case")
def use(session: SignedIn, bench: Bench, slide_id: SlideId) -> SlideCount:
    """The case's grade, differential and report follow it from now on; the automatic count is kept."""
    return bench.reviews.use(bench.reviews.open(slide_id, session.reader))


@router.get("/slides/{slide_id}/agreement.json", summary="Agreement of readers who have both finished")
def agreement(session: SignedIn, bench: Bench, slide_id: SlideId) -> Agreements:
    """Closed to a reader who has not finished: each reads blind to the other."""
    return compare(bench, slide_id, session.reader)


def compare(bench: Workbench, slide_id: str, reader: str) -> Agreements:
    """Every pair of finished readings of the slide's count, as each stood when its reader finished."""
    opened = bench.reviews.open(slide_id, reader)
    readers = bench.reviews.log.readers(slide_id, opened.review.table.count_id)
    if not readers.get(reader, False):
        raise HTTPException(403, "Finish your own reading first: until then you read blind.")
    finished = sorted(name for name, done in readers.items() if done)
    waiting = sorted(name for name, done in readers.items() if not done)
    pairs = tuple(
        work.agreement_of(bench.reviews.finished(slide_id, a), bench.reviews.finished(slide_id, b), (a, b))
        for a, b in combinations(finished[:6], 2)
    )
    message = "You have finished this reading. "
    if not pairs:
        message += "No other reader has finished yet."
    if waiting:
        message += f" Still reading: {', '.join(waiting)}."
    return Agreements(message=message.strip(), agreements=pairs)


def _state(job: CountJob) -> CountState:
    return CountState(state=job.state, fraction=job.fraction, message=job.message)


async def _events(jobs: CountJobs, slide_id: str) -> AsyncIterator[str]:
    last: CountState | None = None
    while True:
        now = _state(jobs.get(slide_id))
        if now.state in ("done", "failed", "idle"):
            yield f"event: {'failed' if now.state == 'failed' else 'done'}\ndata: {now.model_dump_json()}\n\n"
            return
        if now != last:
            yield f"event: progress\ndata: {json.dumps(now.model_dump())}\n\n"
            last = now
        await asyncio.sleep(POLL_SECONDS)
