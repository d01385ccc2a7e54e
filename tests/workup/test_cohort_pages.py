"""The page of a cohort: self-contained, escaped, split for many slides; and the table and cases behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
from justhtml import JustHTML

from kulchitsky.case.cohort import CohortRow, CohortSummary, SlideOutcome, SlideStatus
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import HotSpot, SlideCount, StainReading
from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import Compartment, Intensity, Pattern
from kulchitsky.report.cohort import render_cohort
from kulchitsky.slide.bands import SlideSource
from kulchitsky.workup.cohort_agreement import agreements
from kulchitsky.workup.cohort_list import CohortSlide
from kulchitsky.workup.cohort_store import CohortStore
from kulchitsky.workup.cohort_summary import cost_of, histograms, rows_of
from kulchitsky.workup.cohort_table import to_table
from kulchitsky.workup.registry_add import registry_add

PIXEL = bytes.fromhex("89504e470d0a1a0a")


def counted(name: str, index: float, **more: object) -> CohortRow:
    hot = HotSpot(
        counted=500, positive=round(5 * index), index_percent=index, area_mm2=0.1, centre_um=(1, 2), cells_wanted=500
    )
    issue = Issue(level=Level.WARNING, code="slide.focus.soft", message="<b>soft</b> & blurred", path=name)
    count = SlideCount(
        slide=f"{name}.tif",
        um_per_px=0.25,
        tissue_mm2=12.5,
        counted=12345,
        positive=round(123.45 * index),
        index_percent=index,
        interval_95=(max(0, index - 1), index + 1),
        hotspots=(hot,) if index > 1 else (),
        method={"slide_checksum": name, "detector": "fast"},
        issues=(issue,) if index > 50 else (),
    )
    outcome = SlideOutcome(
        slide=name, key="k", status=SlideStatus.COUNTED, count=count, width_px=40_000, height_px=20_000,
        worker_seconds=9, cpu_seconds=8, picture=f"pictures/{name}.jpg", cells="cells/x",
    )  # fmt: skip
    return CohortRow(slide=name, file=f"{name}.tif", stain="ki67", outcome=outcome, **more)  # type: ignore[arg-type]


@pytest.fixture
def rows() -> tuple[CohortRow, ...]:
    bad = SlideOutcome(slide="bad", key="", status=SlideStatus.FAILED, reason="OSError: <script>alert(1)</script>")
    reading = StainReading(
        slide="cga.tif", marker="chromogranin_a", um_per_px=0.5, tissue_mm2=1, counted=100, positive=80,
        index_percent=80.0, interval_95=(71, 87), h_score=170, intensity=Intensity.MODERATE,
        compartment=Compartment.CYTOPLASMIC, pattern=Pattern.GRANULAR,
    )  # fmt: skip
    read = SlideOutcome(slide="cga", key="k", status=SlideStatus.READ, reading=reading)
    return (
        counted("low", 0.5, manual_percent=1.0),
        counted("middle", 12.0, manual_percent=10.0, case="K-1", registry={"diagnosis": "net_lung", "sex": "female"}),
        counted("high", 60.0, manual_percent=70.0),
        CohortRow(slide="bad", file="bad.svs", stain="ki67", outcome=bad),
        CohortRow(slide="cga", file="cga.tif", stain="chromogranin_a", outcome=read),
    )


def summary_of(rows: tuple[CohortRow, ...]) -> CohortSummary:
    return CohortSummary(
        name="A & B", created="2026-01-02T03:04:05+00:00", software="1", detector="fast 1", rows=rows,
        histograms=histograms(rows), agreements=agreements(rows), cost=cost_of(rows),
    )  # fmt: skip


def test_the_page_shows_everything_and_loads_nothing(rows: tuple[CohortRow, ...]) -> None:
    ((name, text),) = render_cohort(summary_of(rows), lambda row: PIXEL if row.slide == "high" else None)
    assert name == "summary.html"
    page = JustHTML(text, strict=True, sanitize=False)
    assert not page.query("script, link, iframe, object")
    assert "<script>alert" not in text
    assert "OSError: &lt;script&gt;" in text
    assert [image.attrs["src"][:22] for image in page.query("img")] == ["data:image/png;base64,"]
    assert [a.attrs["href"] for a in page.query("td.thumb a")] == ["pictures/high.jpg"]
    assert {a.attrs["href"] for a in page.query("a")} <= {"#slides", "pictures/high.jpg"}
    assert "default-src 'none'" in text
    assert len(page.query(".slides tbody tr")) == 5
    assert len(page.query(".slides tbody tr.flagged")) == 2
    assert len(page.query(".slides tbody tr.unusable")) == 1
    shown = page.to_text()
    for words in (
        "A & B",
        "12.0 %",
        "focus soft",
        "moderate, cytoplasmic, granular",
        "H-score 170",
        "net lung",
        "70.0",
    ):
        assert words in shown.replace("\N{NO-BREAK SPACE}", " ")


def test_many_slides_are_split_over_pages_that_link_to_each_other(rows: tuple[CohortRow, ...]) -> None:
    pages = dict(render_cohort(summary_of(rows), lambda row: None, rows_a_page=2))
    assert list(pages) == ["summary.html", "summary-2.html", "summary-3.html"]
    slides = [len(JustHTML(text, sanitize=False).query(".slides tbody tr")) for text in pages.values()]
    assert slides == [2, 2, 1]
    assert 'href="summary-3.html"' in pages["summary.html"]
    assert "OSError" in pages["summary.html"], "slides without a result stand on the first page"
    assert "How the figures are spread" not in pages["summary-2.html"]


def test_an_empty_result_is_a_page_too() -> None:
    row = CohortRow(
        slide="x", file="x.tif", stain="ki67", outcome=SlideOutcome(slide="x", key="", status=SlideStatus.REFUSED)
    )
    ((_, text),) = render_cohort(summary_of((row,)), lambda row: None)
    assert "Slides without a result" in text


def test_histograms_hold_every_slide(rows: tuple[CohortRow, ...]) -> None:
    found = {h.title: h for h in histograms(rows)}
    assert sum(found["Index of the whole slide"].counts) == 3
    assert sum(found["Index of the hottest window"].counts) == 2
    assert all(len(h.edges) == len(h.counts) + 1 for h in found.values())


def test_cost_is_per_gigapixel_as_scanned(rows: tuple[CohortRow, ...]) -> None:
    cost = cost_of(rows)
    assert (cost.slides, cost.tissue_mm2, cost.worker_seconds, cost.cpu_seconds) == (4, 38.5, 27, 24)
    assert cost.gigapixels == pytest.approx(3 * 0.8)
    assert cost.cpu_seconds_per_gigapixel == pytest.approx(24 / 2.4)
    assert cost.cpu_seconds_per_slide == 6


def test_the_table_has_a_column_for_every_figure(rows: tuple[CohortRow, ...]) -> None:
    table = to_table(rows, (500,)).to_pydict()
    assert table["status"] == ["counted", "counted", "counted", "failed", "read"]
    assert table["hot500_index_percent"] == [None, 12.0, 60.0, None, None]
    assert table["h_score"] == [None, None, None, None, 170.0]
    assert table["flags"] == [None, None, "slide.focus.soft", None, None]
    assert table["registry_diagnosis"] == [None, "net_lung", None, None, None]


def test_cases_are_shown_under_the_registrys_key(tmp_path: Path) -> None:
    chart = tmp_path / "case.json"
    chart.write_text(Case(id="MRN-4711").model_dump_json(), encoding="utf-8")
    registry, keys = str(tmp_path / "registry.db"), tmp_path / "keys"
    (added,) = registry_add([chart], registry=registry, key_file=keys, who="test")
    slides = [
        CohortSlide(0, "one", "one.tif", SlideSource("one.tif"), "ki67", case="MRN-4711"),
        CohortSlide(1, "two", "two.tif", SlideSource("two.tif"), "ki67", case="MRN-0815"),
        CohortSlide(2, "three", "three.tif", SlideSource("three.tif"), "ki67", case=added.key),
    ]
    one, two, three = rows_of(slides, CohortStore(tmp_path), registry=registry, key_file=keys)
    assert (one.case, one.registry["collection"]) == (added.key, "local")
    assert three.case == added.key
    assert two.registry == {}
    assert [issue.code for issue in two.issues] == ["cohort.case.unknown"]
