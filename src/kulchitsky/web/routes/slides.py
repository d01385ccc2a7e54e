"""Slides: the list, the viewer, its tiles, upload, scale."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from pydantic import BaseModel

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.web.access import Bench, workbench
from kulchitsky.web.pages import add_page
from kulchitsky.web.slide_shelf import ShelvedSlide, is_slide_name
from kulchitsky.workup.viewer_tiles import SlideView

router = APIRouter(tags=["slides"])

SlideId = Annotated[str, InPath(pattern=r"^[0-9a-f]{16}$")]


class SlideLine(BaseModel):
    """One slide of the list."""

    id: str
    name: str
    stain: str
    case_id: str
    counted: bool


class SlideList(BaseModel):
    """Every slide this workbench may show."""

    slides: tuple[SlideLine, ...]


class SlidePage(BaseModel):
    """What the viewer needs to draw a slide."""

    id: str
    name: str
    stain: str
    case_id: str
    width_px: int
    height_px: int
    um_per_px: float | None
    tile_px: int
    max_level: int
    vendor: str
    counted: bool


class ScaleGiven(BaseModel):
    """The scale of a slide whose file does not say it."""

    um_per_px: float


def slide_line(bench: Bench, slide: ShelvedSlide) -> SlideLine:
    """A slide as a line of a list."""
    counted = bench.reviews.is_counted(slide.id)
    return SlideLine(id=slide.id, name=slide.name, stain=slide.stain, case_id=slide.case_id, counted=counted)


def slide_list(bench: Bench) -> SlideList:
    """Every slide of the shelf."""
    return SlideList(slides=tuple(slide_line(bench, slide) for slide in bench.slides))


def slide_page(bench: Bench, slide_id: SlideId) -> SlidePage:
    """One slide: size, scale, tiles."""
    slide = bench.slides.get(slide_id)
    g = bench.slides.view(slide_id).geometry
    return SlidePage(
        **slide_line(bench, slide).model_dump(),
        width_px=g.width_px,
        height_px=g.height_px,
        um_per_px=g.um_per_px,
        tile_px=g.tile_px,
        max_level=g.max_level,
        vendor=g.vendor,
    )


def _prepare_viewer(request: Request, page: SlidePage) -> dict[str, Any]:
    """While the browser loads the viewer, what it will ask for is made ready."""
    bench = workbench(request)
    bench.ahead.slide(bench.slides.get(page.id))
    return {}


add_page(router, "/slides", "slides.html", slide_list, summary="Every slide of this workbench")
add_page(
    router,
    "/slides/{slide_id}",
    "viewer.html",
    slide_page,
    summary="Size, scale and tiles of a slide",
    context=_prepare_viewer,
)


@router.get(
    "/slides/{slide_id}/tiles/{level}/{column}/{row}",
    summary="One tile of the deep-zoom pyramid as JPEG",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
def tile(
    bench: Bench,
    slide_id: SlideId,
    level: Annotated[int, InPath(ge=0, le=40)],
    column: Annotated[int, InPath(ge=0, lt=1 << 24)],
    row: Annotated[int, InPath(ge=0, lt=1 << 24)],
) -> Response:
    """Level 0 is the whole slide in one pixel, the last level full resolution."""
    jpeg = bench.slides.tile(slide_id, level, column, row)
    return Response(jpeg, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=3600"})


@router.put("/slides/upload", summary="Upload a slide file as the request body", status_code=201)
async def upload(
    request: Request,
    bench: Bench,
    name: Annotated[str, Query(min_length=1, max_length=200)],
    case_id: Annotated[str, Query(max_length=80, pattern=r"^[A-Za-z0-9_.-]*$")] = "",
    stain: Annotated[str, Query(pattern=r"^([a-z][a-z0-9_]{0,63})?$")] = "",
) -> SlideLine:
    """The file is kept only if it opens as a slide or picture; its name is reduced to harmless characters."""
    safe = safe_file_name(name)
    if not is_slide_name(safe):
        raise HTTPException(422, "That file name is not one of a slide or picture (svs, ndpi, tiff, png, jpeg …).")
    directory = bench.settings.data_dir / "uploads" / secrets.token_hex(8)
    directory.mkdir(parents=True)
    target, beside = directory / safe, directory / f"{safe}.part"
    try:
        with beside.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
        os.replace(beside, target)
        SlideView(target).close()
    except BaseException:
        for path in (beside, target):
            path.unlink(missing_ok=True)
        directory.rmdir()
        raise
    return slide_line(bench, bench.slides.add(target, stain=stain or None, case_id=case_id))


@router.put("/slides/{slide_id}/scale", summary="Give the scale of a slide whose file does not say it")
def set_scale(bench: Bench, slide_id: SlideId, given: ScaleGiven) -> SlidePage:
    """The scale must lie between 0.02 and 10 µm per pixel."""
    bench.slides.get(slide_id)
    if not 0.02 < given.um_per_px <= 10:
        raise RefusedSlide(
            f"{given.um_per_px:g} µm per pixel is no scale of a microscope",
            source=bench.slides.get(slide_id).name,
            remedy="give a value between 0.02 and 10",
        )
    bench.slides.set_scale(slide_id, given.um_per_px)
    return slide_page(bench, slide_id)


def safe_file_name(name: str) -> str:
    """The last part of a name, its characters limited to letters, digits, dot, dash and underscore."""
    last = Path(name.replace("\\", "/")).name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".")[-120:] or "slide"
