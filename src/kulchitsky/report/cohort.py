"""The page of a cohort: which slides failed, how the index is spread, agreement, every slide. Computes no figure.

Pages hold a limited number of slides, so that a cohort of thousands opens at once; each is self-contained like the
report: styles and pictures inside, no script, nothing loaded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from kulchitsky.case.cohort import Agreement, CohortRow, CohortSummary, Histogram
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import CellCount, HotSpot
from kulchitsky.report.html import data_uri, environment, media_type
from kulchitsky.report.wording import EN_DASH, INTENDED_USE, PERCENT, number, sentence_case, signed_text, words

ROWS_A_PAGE: Final = 250
_TONES: Final = {Level.SERIOUS: "bad", Level.WARNING: "warn", Level.NOTE: "quiet"}

Thumbnail = Callable[[CohortRow], bytes | None]
"""Gives the small picture of a slide, PNG or JPEG."""


def page_name(page: int) -> str:
    """The file of a page, counted from 0."""
    return "summary.html" if page == 0 else f"summary-{page + 1}.html"


def render_cohort(
    summary: CohortSummary, thumbnail: Thumbnail, *, rows_a_page: int = ROWS_A_PAGE
) -> Iterator[tuple[str, str]]:
    """Yield the file name and the text of each page; overview, agreement and failures stand on the first."""
    folder = resources.files("kulchitsky.report").joinpath("templates")
    style = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in ("report.css", "cohort.css"))
    templates = environment()
    drawing = (
        histogram_bars,
        scatter,
        differences,
        index_span,
        tone,
        flag,
        fixed,
        fixed_percent,
        bounds,
        hottest,
        number,
        row_issues,
        pixels_path,
    )
    templates.globals.update({function.__name__: function for function in drawing})
    template = templates.get_template("cohort.html.j2")
    pages = max(1, -(-len(summary.rows) // rows_a_page))
    for page in range(pages):
        rows = summary.rows[page * rows_a_page : (page + 1) * rows_a_page]
        yield (
            page_name(page),
            template.render(
                summary=summary,
                rows=rows,
                page=page,
                pages=[page_name(k) for k in range(pages)],
                first_row=page * rows_a_page + 1,
                flags=_flag_table(summary.rows),
                unusable=[row for row in summary.rows if not row.outcome.done],
                sizes=_hotspot_sizes(summary.rows),
                picture=lambda row: _picture(thumbnail(row)),
                intended_use=INTENDED_USE,
                style=Markup(style),
                style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            ),
        )


def _picture(data: bytes | None) -> str | None:
    return data_uri(data) if data and media_type(data) else None


def _hotspot_sizes(rows: Sequence[CohortRow]) -> list[int]:
    spots = [h for row in rows if row.outcome.count is not None for h in row.outcome.count.hotspots]
    return sorted({h.cells_wanted for h in spots if h.cells_wanted is not None})


def row_issues(row: CohortRow) -> list[Issue]:
    """What was noticed about a slide, most serious first."""
    measure = row.outcome.count or row.outcome.reading
    issues = [*row.issues, *(measure.issues if measure is not None else ())]
    return sorted(issues, key=lambda issue: list(_TONES).index(issue.level))


def _flag_table(rows: Sequence[CohortRow]) -> list[dict[str, Any]]:
    """Each kind of remark with the number of slides that have it, most serious and most frequent first."""
    seen: dict[str, dict[str, Any]] = {}
    for row in rows:
        for issue in {issue.code: issue for issue in row_issues(row)}.values():
            entry = seen.setdefault(issue.code, {"issue": issue, "slides": 0})
            entry["slides"] += 1
    order = list(_TONES)
    return sorted(seen.values(), key=lambda e: (order.index(e["issue"].level), -e["slides"], e["issue"].code))


def tone(issue: Issue) -> str:
    """The colour class of a remark."""
    return _TONES[issue.level]


def flag(issue: Issue) -> str:
    """The short name of a remark, from its code."""
    return words(issue.code.split(".", 1)[-1].replace(".", " "))


def pixels_path(path: str) -> str:
    """A path in the output folder as a relative link."""
    return quote(path)


def fixed(value: float, digits: int) -> str:
    """A number with a fixed number of decimals and a true minus sign."""
    text = f"{value:.{digits}f}"
    return signed_text(text) if float(text) else f"{0:.{digits}f}"


def fixed_percent(value: CellCount) -> str:
    """An index with one decimal, so that a column of them lines up."""
    return EN_DASH if value.index_percent is None else f"{value.index_percent:.1f}{PERCENT}"


def bounds(value: CellCount) -> str:
    """The interval of an index, in brackets; empty without one."""
    return "" if value.interval_95 is None else f"({value.interval_95[0]:.1f}{EN_DASH}{value.interval_95[1]:.1f})"


def hottest(row: CohortRow, size: int) -> HotSpot | None:
    """The hot spot of so many cells, where the slide has one."""
    spots = row.outcome.count.hotspots if row.outcome.count is not None else ()
    return next((spot for spot in spots if spot.cells_wanted == size), None)


def index_span(value: CellCount) -> dict[str, str]:
    """Where index and interval stand on a scale from 0 to 100, as SVG percentages."""
    low, high = value.interval_95 or (value.index_percent or 0, value.index_percent or 0)
    return {"at": f"{value.index_percent or 0:.2f}%", "low": f"{low:.2f}%", "high": f"{high:.2f}%"}


def histogram_bars(block: Histogram) -> dict[str, Any]:
    """Where the bars and ticks of a histogram stand in its 300 by 170 drawing."""
    most = max(block.counts) or 1
    wide = 262 / len(block.counts)
    bars = [
        {"x": round(32 + k * wide + 0.5, 1), "y": round(132 - 118 * n / most, 1), "h": round(118 * n / most, 1)}
        | {"n": n, "width": round(max(wide - 1, 0.5), 1)}
        for k, n in enumerate(block.counts)
    ]
    every = max(1, -(-len(block.edges) // 6))
    ticks = [
        (round(32 + k * wide, 1), number(float(f"{edge:.2g}")))
        for k, edge in enumerate(block.edges)
        if k % every == 0
    ]
    spoken = "; ".join(
        f"{number(float(f'{a:.3g}'))} to {number(float(f'{b:.3g}'))}: {n}"
        for a, b, n in zip(block.edges, block.edges[1:], block.counts, strict=False)
        if n
    )
    return {"bars": bars, "ticks": ticks, "most": most, "spoken": f"{sentence_case(block.title)}: {spoken}"}


def scatter(block: Agreement) -> dict[str, Any]:
    """Automatic against manual in a square of 260 pixels, with the line of equality."""
    top = _round_up(max(max(pair) for pair in block.points))

    def across(value: float) -> float:
        return round(40 + 250 * value / top, 1)

    def down(value: float) -> float:
        return round(260 - 250 * value / top, 1)

    return {
        "points": [(across(m), down(a)) for m, a in block.points],
        "ticks": [(across(v), down(v), number(v)) for v in (0, top / 2, top)],
        "band": f"{across(0)},{down(0)} {across(top / 1.2)},{down(top)} {across(top)},{down(top)} "
        f"{across(top)},{down(top * 0.8)}",
        "line": (across(0), down(0), across(top), down(top)),
    }


def differences(block: Agreement) -> dict[str, Any] | None:
    """Difference against mean (Bland and Altman) in the same square, with bias and limits."""
    if block.bias is None or block.limits is None:
        return None
    pairs = [((m + a) / 2, a - m) for m, a in block.points]
    top = _round_up(max(x for x, _ in pairs))
    reach = _round_up(1.1 * max(*(abs(y) for _, y in pairs), *(abs(v) for v in block.limits)))

    def across(value: float) -> float:
        return round(40 + 250 * value / top, 1)

    def down(value: float) -> float:
        return round(135 - 120 * value / reach, 1)

    return {
        "points": [(across(x), down(y)) for x, y in pairs],
        "x_ticks": [(across(v), number(v)) for v in (0, top / 2, top)],
        "y_ticks": [(down(v), number(v)) for v in (-reach, 0, reach)],
        "lines": [
            (down(block.limits[1]), signed_text(f"{block.limits[1]:+.1f}"), "mark"),
            (down(block.bias), signed_text(f"{block.bias:+.1f}"), "line"),
            (down(block.limits[0]), signed_text(f"{block.limits[0]:+.1f}"), "mark"),
        ],
    }


def _round_up(value: float) -> float:
    """The next round end of an axis."""
    for step in (1, 2, 5, 10, 20, 30, 40, 50, 60, 80, 100):
        if value <= step:
            return float(step)
    return float(value)
