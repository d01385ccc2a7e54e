"""Read a stained slide and say what the knowledge base expects of its marker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import StainReading
from kulchitsky.case.vocabulary import Compartment, Pattern
from kulchitsky.knowledge.aliases import resolve_marker
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.knowledge.schema import Marker
from kulchitsky.knowledge.stain_rules import StainRules, load_stain_rules
from kulchitsky.slide import overlay, stain_reading
from kulchitsky.slide.reader import open_slide
from kulchitsky.slide.stain_reading import StainResult
from kulchitsky.slide.stains import pictures

_FIELD_UM = 200.0
_GALLERY_CELLS = 8
_SPARE_CELLS = 24
"""More than are shown, so that cells at the edge of the slide can be passed over."""


def read_stain(
    slide: Path,
    *,
    marker: str,
    detector: str = "accurate",
    um_per_px: float | None = None,
    objective: float | None = None,
    regions: Path | None = None,
    threads: int | None = None,
    gallery_to: Path | None = None,
    overlay_to: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StainReading:
    """Read the slide as ``marker`` (an id or a usual name); see :func:`kulchitsky.slide.stain_reading.read_stain`.

    ``gallery_to`` takes a PNG of example cells, ``overlay_to`` one of the fullest field with every cell marked.
    Raises :class:`RefusedInput` for an unknown marker or output name, before anything is read.
    """
    known = marker_of(marker)
    for path in (gallery_to, overlay_to):
        _check_png(path)
    result = stain_reading.read_stain(
        slide,
        marker=known.id,
        um_per_px=um_per_px,
        objective=objective,
        regions=regions,
        detector=detector,
        threads=threads,
        progress=progress,
    )
    reading = with_expectation(result.reading, known, load_stain_rules())
    if gallery_to is not None or overlay_to is not None:
        with open_slide(slide, um_per_px, objective) as opened:
            if gallery_to is not None:
                overlay.write_png(gallery_to, pictures.gallery(opened, result.cells, example_groups(result)))
            if overlay_to is not None:
                centre, side = pictures.fullest_field(opened, result.cells, _FIELD_UM)
                level = result.judgement.level
                overlay.write_png(overlay_to, pictures.field(opened, centre, side, result.cells, level))
    return reading


def with_expectation(reading: StainReading, marker: Marker, rules: StainRules) -> StainReading:
    """The reading in the words of the marker: extent, Allred score, what is expected, and what does not fit it."""
    percent = reading.index_percent
    stained = bool(reading.positive) and percent is not None
    allred = None
    if percent is not None and marker.id in rules.allred.markers:
        levels = [s.fraction for s in reading.intensity_classes[1:]]
        strength = 1 + int(np.argmax(levels)) if stained else 0
        allred = rules.allred_of(percent, strength)
    return reading.model_copy(
        update={
            "extent": rules.extent_of(percent) if stained and percent is not None else None,
            "allred": allred,
            "expected": expected_of(marker),
            "issues": (*reading.issues, *_surprises(reading, marker, rules)),
        }
    )


def expected_of(marker: Marker) -> str:
    """What the knowledge base expects of a marker's staining, in one line; empty where it says nothing."""
    if marker.compartment is None:
        return marker.positive_when
    patterns = [p.value.replace("_", " ") for p in marker.patterns]
    line = marker.compartment.value.replace("_", " ")
    line += f" ({' or '.join(patterns)})" if patterns else ""
    return f"{line}; positive when: {marker.positive_when}" if marker.positive_when else line


def example_groups(result: StainResult) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.intp]]]]:
    """Labelled rows of example cells: those of the leading classes, then unstained tumour cells."""
    shares = sorted(result.judgement.class_shares.items(), key=lambda item: -item[1])
    groups = [(name.replace("_", " "), result.examples(name, _SPARE_CELLS)) for name, share in shares if share > 0.1]
    unstained = np.nonzero(result.cells.counted & ~result.cells.positive)[0]
    step = max(1, len(unstained) // _SPARE_CELLS)
    return [*groups, ("not stained", unstained[::step][:_SPARE_CELLS])]


def _surprises(reading: StainReading, marker: Marker, rules: StainRules) -> list[Issue]:
    expected = marker.compartment
    issues = _out_of_place(reading, marker, rules)
    special = reading.pattern not in (None, Pattern.DIFFUSE, *marker.patterns)
    if special and marker.patterns and expected is not Compartment.NUCLEAR and reading.pattern is not None:
        known = " or ".join(p.value.replace("_", " ") for p in marker.patterns)
        message = f"{reading.pattern.value.replace('_', ' ')} {marker.name}; known for it: {known}"
        issues.append(Issue(level=Level.NOTE, code="stain.pattern.unusual", message=message, path=reading.slide))
    return issues


def _out_of_place(reading: StainReading, marker: Marker, rules: StainRules) -> list[Issue]:
    """A remark where neither the compartment seen, nor any that it may be, is the one expected."""
    seen = (reading.compartment,) if reading.compartment is not None else reading.compartment_either
    expected = marker.compartment
    if not seen or expected is None or any(rules.fits(c, expected) for c in seen):
        return []
    sure = (reading.compartment_confidence or 0) >= rules.disagreement.least_confidence
    # cytoplasm and membrane lie side by side; nucleus against either is another matter
    far = Compartment.NUCLEAR in (*seen, expected)
    words = " or ".join(c.value.replace("_", " ") for c in seen)
    message = f"{words} {marker.name}, expected {expected.value.replace('_', ' ')}: suspect an artefact"
    return [
        Issue(
            level=Level.SERIOUS if sure and far else Level.WARNING,
            code="stain.compartment.unexpected",
            message=message,
            remedy="look at the gallery: wrong stain on the slide, background, or a failed reaction",
            path=reading.slide,
        )
    ]


def marker_of(name: str) -> Marker:
    """The marker of an id or usual name; raises :class:`RefusedInput` for an unknown one."""
    found = resolve_marker(name)
    if found is None:
        remedy = "`kulchitsky evidence` lists the known markers"
        raise RefusedInput(f"{name!r} is not a known marker", source="--marker", remedy=remedy)
    return load_knowledge().markers[found]


def _check_png(path: Path | None) -> None:
    if path is None:
        return
    if path.suffix.lower() != ".png":
        raise RefusedInput("pictures are written as PNG", source=path.name, remedy="end the name in .png")
    if not path.resolve().parent.is_dir():
        raise RefusedInput("its folder does not exist", source=str(path), remedy="create the folder first")
