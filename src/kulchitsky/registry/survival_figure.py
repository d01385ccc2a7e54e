"""Survival curves drawn: steps with their interval, ticks for censored cases, numbers at risk beneath."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kulchitsky.case.errors import RefusedRegistry
from kulchitsky.registry.survival import Curve, Survival

# Okabe M, Ito K: colours that colour-blind readers tell apart
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#6B6B6B", "#A6A000")
_FORMATS = (".png", ".svg", ".pdf")


def draw_survival(result: Survival, path: str | os.PathLike[str], *, title: str = "") -> Path:
    """Draw the curves into ``path`` (.png, .svg or .pdf), written beside and renamed; returns the path."""
    out = Path(path)
    if out.suffix.lower() not in _FORMATS:
        raise RefusedRegistry(
            f"{out.suffix or 'a name without ending'} is no figure format",
            source=str(out),
            remedy=f"end it with {', '.join(_FORMATS)}",
        )
    rows = len(result.curves)
    figure = Figure(figsize=(7.2, 4.6 + 0.24 * rows), dpi=200)
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 1, height_ratios=[4.2, 0.42 + 0.24 * rows], hspace=0.32)
    axes, table = figure.add_subplot(grid[0]), figure.add_subplot(grid[1])
    last = max(float(curve.months[-1]) for curve in result.curves) or 1.0
    ticks = month_ticks(last)
    for curve, colour in zip(result.curves, _COLOURS, strict=False):
        _curve(axes, curve, colour)
    _dress(axes, result, last, ticks, title)
    _risk_table(table, result, ticks, last)
    _save(figure, out)
    return out


def month_ticks(last: float) -> list[float]:
    """Return some five to eight round times (months) from 0 to the last one followed."""
    for step in (1, 2, 3, 6, 12, 24, 36, 60, 120, 240):
        if last / step <= 8:
            return [float(t) for t in np.arange(0, last + 1e-9, step)]
    return [0.0, last]


def _curve(axes: Axes, curve: Curve, colour: str) -> None:
    axes.step(curve.months, curve.survival, where="post", color=colour, linewidth=1.9, label=_label(curve))
    known = ~np.isnan(curve.low)
    axes.fill_between(
        curve.months[known], curve.low[known], curve.high[known], step="post", color=colour, alpha=0.13, linewidth=0
    )
    at = np.searchsorted(curve.months, curve.censored_at, side="right") - 1
    axes.plot(curve.censored_at, curve.survival[at], "|", color=colour, markersize=6, markeredgewidth=1.1)


def _label(curve: Curve) -> str:
    median = "median not reached"
    if curve.median_months is not None:
        low, high = (f"{end:.3g}" if end is not None else "not reached" for end in curve.median_interval)
        median = f"median {curve.median_months:.3g} months ({low} to {high})"
    return f"{curve.group.replace('_', ' ')}: {curve.events}/{curve.cases} events, {median}"


def _dress(axes: Axes, result: Survival, last: float, ticks: list[float], title: str) -> None:
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, last * 1.02)
    axes.set_xticks(ticks)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{p} %" for p in range(0, 101, 20)])
    axes.set_xlabel("months from diagnosis")
    axes.set_ylabel(f"{result.endpoint.replace('_', '-')} survival")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#E6E6E6", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_title(title or _title(result), loc="left", fontsize=11, fontweight="bold")
    axes.legend(frameon=False, fontsize=8, loc="best")
    if result.test is not None:
        p = result.test.p_value
        words = f"log-rank p {'< 0.001' if p < 0.001 else f'= {p:.2g}'}"
        axes.text(1.0, 1.02, words, transform=axes.transAxes, ha="right", va="bottom", fontsize=9)


def _title(result: Survival) -> str:
    by = f" by {result.by.replace('_', ' ').replace('.', ' ')}" if result.by else ""
    return f"{result.endpoint.replace('_', '-').capitalize()} survival{by}"


def _risk_table(axes: Axes, result: Survival, ticks: list[float], last: float) -> None:
    axes.set_xlim(0, last * 1.02)
    axes.set_ylim(-len(result.curves), 1)
    axes.axis("off")
    axes.text(0, 0.35, "number at risk", fontsize=8, color="#444444", ha="left")
    for i, (curve, colour) in enumerate(zip(result.curves, _COLOURS, strict=False)):
        for tick, risk in zip(ticks, curve.risk(ticks), strict=True):
            axes.text(tick, -i - 0.5, str(risk), fontsize=8, color=colour, ha="center", va="center")
        axes.text(-0.04, 1 - (i + 1.5) / (len(result.curves) + 1), curve.group.replace("_", " ")[:14],
                  transform=axes.transAxes, fontsize=8, color=colour, ha="right", va="center")  # fmt: skip


def _save(figure: Figure, out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.stem}-", suffix=out.suffix.lower())
        os.close(handle)
    except OSError as error:
        raise RefusedRegistry(
            f"cannot be written ({error.strerror})", source=str(out), remedy="choose a folder you can write in"
        ) from None
    try:
        figure.savefig(beside, bbox_inches="tight", facecolor="white")
        os.replace(beside, out)
    finally:
        Path(beside).unlink(missing_ok=True)
