"""The report as one HTML file: styles and pictures inside, no script, nothing loaded from anywhere.

A content security policy in the page holds it to that: only its own style sheet (by hash) and data images.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report.blocks import Column, Curve
from kulchitsky.report.content.document import build
from kulchitsky.report.wording import PERCENT, number, printable

_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}


def media_type(picture: bytes) -> str | None:
    """The media type of a PNG or JPEG by its first bytes; ``None`` for anything else."""
    return next((kind for start, kind in _SIGNATURES.items() if picture.startswith(start)), None)


def render(worked: WorkedUpCase, *, pictures: Mapping[str, bytes] | None = None) -> str:
    """The report of ``worked`` as a self-contained HTML page.

    ``pictures`` maps ``SlidePicture.path`` to the bytes of a PNG or JPEG; a picture that is missing or of another
    kind is replaced by a sentence saying so. All text of the case is escaped.
    """
    usable = {name: data for name, data in (pictures or {}).items() if media_type(data)}
    style = resources.files("kulchitsky.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    template = environment().get_template("report.html.j2")
    return template.render(
        document=build(worked, usable),
        style=Markup(style),
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        picture_uri=lambda name: data_uri(usable[name]),
    )


def data_uri(picture: bytes) -> str:
    """A picture as the address that holds it."""
    return f"data:{media_type(picture)};base64,{base64.b64encode(picture).decode()}"


def environment() -> Environment:
    """The templates of the report: everything escaped, a missing value an error."""
    environment = Environment(
        loader=PackageLoader("kulchitsky.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_finalize,
    )
    drawing = (bar_span, weight_span, decades, width_class, curve_frame)
    environment.globals.update({function.__name__: function for function in drawing})
    return environment


def _finalize(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def bar_span(value: float) -> str:
    """Length on a scale of 0 to 1, as an SVG percentage."""
    return f"{100 * min(max(value, 0.0), 1.0):.2f}%"


def decades(reach: float) -> list[str]:
    """Where the factors of ten stand on a scale from -``reach`` to ``reach``, as SVG percentages."""
    return [f"{50 + 50 * power / reach:.2f}%" for power in range(-int(reach), int(reach) + 1) if power]


def curve_frame(block: Curve) -> dict[str, Any]:
    """Where the parts of a curve stand in its 400 by 190 drawing: the y axis runs from 0 to 100 %."""
    reach = max(x for x, _ in block.points)

    def across(x: float) -> float:
        return round(44 + 348 * min(x / reach, 1.0), 1)

    def down(y: float) -> float:
        return round(150 - 1.4 * y, 1)

    return {
        "points": " ".join(f"{across(x)},{down(y)}" for x, y in block.points),
        "mark": across(block.mark) if block.mark is not None else None,
        "x_ticks": [(across(reach * part), number(reach * part)) for part in (0, 0.25, 0.5, 0.75, 1)],
        "y_ticks": [(down(y), f"{y}{PERCENT}") for y in (0, 50, 100)],
    }


def width_class(column: Column, columns: tuple[Column, ...]) -> int:
    """The width of a column in percent, to the nearest of the style sheet's steps of five."""
    whole = sum(each.share for each in columns)
    return min(max(5 * round(20 * column.share / whole), 5), 75)


def weight_span(low: float, high: float, reach: float) -> dict[str, Any]:
    """Start and width, as SVG percentages, of a stretch on a scale from -``reach`` to ``reach``."""
    start, end = sorted(min(max(end, -reach), reach) for end in (low, high))
    return {
        "x": f"{50 + 50 * start / reach:.2f}%",
        "end": f"{50 + 50 * end / reach:.2f}%",
        "width": f"{50 * (end - start) / reach:.2f}%",
    }
