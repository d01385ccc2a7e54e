"""Count Ki-67 only where a second stain, on a serial section, marks tumour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kulchitsky.case.errors import RefusedSlide
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import SlideCount, StainReading
from kulchitsky.slide import count, stain_reading
from kulchitsky.slide.cells import CellTable
from kulchitsky.slide.count import CountResult, Survey
from kulchitsky.slide.marked_tumour import leave_out_unmarked, marked_tumour
from kulchitsky.slide.raster import Raster
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.registration import Registration, register
from kulchitsky.slide.registration_map import section_map
from kulchitsky.workup.read_stain import marker_of

LEAST_CORRELATION: Final = 0.2
LEAST_OVERLAP: Final = 0.5
LARGEST_RESIDUAL_UM: Final = 20.0
REFUSED_RESIDUAL_UM: Final = 40.0


@dataclass(frozen=True, slots=True)
class DoubleStain:
    """The count inside the marked tumour, the plain count of the same slide, the second stain, how they lie."""

    inside: SlideCount
    plain: SlideCount
    second: StainReading
    registration: Registration


def virtual_double_stain(
    ki67: Path,
    tumour_stain: Path,
    *,
    marker: str = "synaptophysin",
    detector: str = "accurate",
    um_per_px: float | None = None,
    tumour_um_per_px: float | None = None,
    hotspot_cells: tuple[int, ...] = (500, 2000),
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> DoubleStain:
    """Register ``tumour_stain`` (a slide stained for ``marker``) to the Ki-67 slide and count in its tumour only.

    Raises :class:`RefusedSlide` when either slide cannot be read or the two do not show the same tissue: a count in
    the wrong places would look like any other.
    """

    def tell(what: str) -> Callable[[int, int], None] | None:
        return (lambda done, total: progress(what, done, total)) if progress is not None else None

    known = marker_of(marker)
    with open_slide(ki67, um_per_px) as first, open_slide(tumour_stain, tumour_um_per_px) as second:
        laid = register(section_map(first), section_map(second))
    _check(laid, tumour_stain.name, ki67.name)
    stained = stain_reading.read_stain(
        tumour_stain,
        marker=known.id,
        um_per_px=tumour_um_per_px,
        detector=detector,
        threads=threads,
        progress=tell(f"reading {tumour_stain.name}"),
    )
    counted = count.count_slide(
        ki67,
        detector=detector,
        um_per_px=um_per_px,
        hotspot_cells=hotspot_cells,
        threads=threads,
        progress=tell(f"counting {ki67.name}"),
    )
    cells = leave_out_unmarked(counted.cells, marked_tumour(stained.cells, stained.tissue), laid)
    inside = _summary(ki67, um_per_px, counted, cells, hotspot_cells, stained.reading, laid)
    return DoubleStain(inside=inside, plain=counted.count, second=stained.reading, registration=laid)


def _check(laid: Registration, moving: str, fixed: str) -> None:
    alike = laid.correlation >= LEAST_CORRELATION and laid.overlap >= LEAST_OVERLAP
    # outlines alone can look alike: patches of another tissue ask for displacements that contradict each other
    if alike and not laid.residual_um > REFUSED_RESIDUAL_UM:
        return
    fit = f"correlation {laid.correlation:.2f}, overlap {laid.overlap:.2f}, fit {laid.residual_um:.0f} µm"
    problem = f"it cannot be laid over {fixed} ({fit})"
    raise RefusedSlide(problem, source=moving, remedy="check that both are sections of one block; count without it")


def _summary(
    ki67: Path,
    um_per_px: float | None,
    counted: CountResult,
    cells: CellTable,
    hotspot_cells: tuple[int, ...],
    second: StainReading,
    laid: Registration,
) -> SlideCount:
    method = counted.count.method | {
        "tumour_marked_by": {
            "slide": second.slide,
            "marker": second.marker,
            "slide_checksum": second.method["slide_checksum"],
            "stained_percent": second.index_percent,
            "registration_correlation": round(laid.correlation, 3),
            "registration_overlap": round(laid.overlap, 3),
            "registration_residual_um": round(laid.residual_um, 1) if laid.residual_um == laid.residual_um else None,
        }
    }
    with open_slide(ki67, um_per_px) as slide:
        view = Survey(raster=Raster(slide), map=counted.tissue, calibration=counted.calibration)
        inside = count.summarise(slide, cells, view, method, hotspot_cells, None, None)
    return inside.model_copy(update={"issues": (*inside.issues, *_remarks(second, laid, inside))})


def _remarks(second: StainReading, laid: Registration, inside: SlideCount) -> list[Issue]:
    message = f"counted only where {second.slide} ({second.marker}) marks tumour"
    issues = [Issue(level=Level.NOTE, code="slide.double_stain", message=message, path=inside.slide)]
    if not laid.residual_um <= LARGEST_RESIDUAL_UM:
        known = f"{laid.residual_um:.0f} µm" if laid.residual_um == laid.residual_um else "an unknown distance"
        issues.append(
            Issue(
                level=Level.WARNING,
                code="slide.double_stain.loose",
                message=f"the two sections fit to within {known} only",
                remedy="look at the borders of the nests before trusting the index",
                path=inside.slide,
            )
        )
    return issues
