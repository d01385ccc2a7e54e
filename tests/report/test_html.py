"""The page: valid, closed to the outside, accessible, and equal to the JSON figure by figure."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from enum import StrEnum
from itertools import pairwise
from typing import Any, Protocol

import pytest
from justhtml import JustHTML

from kulchitsky.case.base import Record
from kulchitsky.case.measure import CellCount
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Reference, SlidePicture, WorkedUpCase
from kulchitsky.report.html import decades, media_type, render, weight_span
from kulchitsky.report.json import render as render_json
from kulchitsky.report.wording import INTENDED_USE

ANNEXES = (
    *("recorded", "facts", "slides", "differential", "challenge", "grade-basis", "stage-basis", "prognosis-figures"),
    *("claims", "tests", "options-all", "follow-up-all", "codes", "issues", "references", "method"),
)
FIRST_PAGE = (
    *("diagnosis", "grade", "ki67", "stage", "contradictions"),
    *("next-stain", "prognosis", "options", "follow-up", "look-first"),
)


@pytest.fixture(scope="module")
def page(worked: WorkedUpCase, picture: bytes) -> str:
    return render(worked, pictures={"ki67-hot-spot.png": picture})


@pytest.fixture(scope="module")
def tree(page: str) -> ET.Element:
    return parsed(page)


class FigureCheck(Protocol):
    """What the fixture of that name offers."""

    def compare(self, tree: ET.Element, content: Any) -> int: ...

    def agrees(self, printed: str, value: float) -> bool: ...


def parsed(page: str) -> ET.Element:
    """The page is written as well-formed XML too, so a strict parser of the standard library reads it."""
    return ET.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def text_of(element: ET.Element) -> str:
    return " ".join("".join(element.itertext()).replace("\N{WORD JOINER}", "").split())


def by_id(tree: ET.Element, anchor: str) -> ET.Element:
    found = [e for e in tree.iter() if e.get("id") == anchor]
    assert len(found) == 1, anchor
    return found[0]


@pytest.mark.parametrize("which", ["worked", "empty"])
def test_is_valid_html(which: str, request: pytest.FixtureRequest) -> None:
    page = render(request.getfixturevalue(which))
    assert JustHTML(page, strict=True).errors == []
    parsed(page)


@pytest.mark.parametrize("which", ["worked", "empty"])
def test_every_section_is_there_and_says_something(which: str, request: pytest.FixtureRequest) -> None:
    tree = parsed(render(request.getfixturevalue(which)))
    for anchor in (*FIRST_PAGE, *ANNEXES):
        section = by_id(tree, anchor)
        title = section.find("h2")
        assert title is not None
        said = text_of(section).removeprefix(text_of(title))
        assert len(said) > 20, f"{anchor} is blank"
    letters = [text_of(e) for e in tree.iter("span") if e.get("class") == "letter"]
    assert letters[: len(ANNEXES)] == list("ABCDEFGHIJKLMNOP")


def test_an_empty_case_says_undetermined_everywhere(empty: WorkedUpCase) -> None:
    tree = parsed(render(empty))
    for anchor in ("diagnosis", "grade", "ki67", "stage", "prognosis", "options", "follow-up"):
        assert "Undetermined." in text_of(by_id(tree, anchor)), anchor


def test_the_intended_use_stands_at_both_ends(tree: ET.Element) -> None:
    said = [text_of(e) for e in tree.iter("p") if e.get("class") == "intended"]
    assert said == [INTENDED_USE, INTENDED_USE]


def test_figures_equal_the_json(tree: ET.Element, worked: WorkedUpCase, figures: FigureCheck) -> None:
    assert figures.compare(tree, json.loads(render_json(worked))) > 100


@pytest.mark.parametrize(
    ("printed", "value", "agrees"),
    [("78 %", 0.784, True), ("79 %", 0.784, False), ("<1 %", 0.02, False), ("9 387", 9387, True), ("27 %", 27, True)],
)
def test_the_comparison_of_figures_can_fail(printed: str, value: float, agrees: bool, figures: FigureCheck) -> None:
    assert figures.agrees(printed, value) is agrees


def test_every_citation_resolves_to_a_numbered_reference(tree: ET.Element) -> None:
    listed = [e.get("id") for e in by_id(tree, "references").iter("li")]
    assert listed == [f"ref-{number}" for number in range(1, len(listed) + 1)]
    cited = {a.get("href", "") for span in tree.iter("span") if span.get("class") == "cite" for a in span.iter("a")}
    assert cited == {f"#{anchor}" for anchor in listed}
    assert not [e for e in tree.iter("li") if e.get("class") == "unresolved"]


def test_sources_are_numbered_as_they_are_first_cited(tree: ET.Element) -> None:
    order = [int(text_of(a)) for span in tree.iter("span") if span.get("class") == "cite" for a in span.iter("a")]
    first_seen = list(dict.fromkeys(order))
    # inside one bracket numbers ascend, so a later bracket may bring several new ones at once, ascending
    assert first_seen == sorted(first_seen)


def test_a_citation_without_reference_is_called_out(worked: WorkedUpCase) -> None:
    tree = parsed(render(worked.model_copy(update={"references": ()})))
    lost = [text_of(e) for e in tree.iter("li") if e.get("class") == "unresolved"]
    assert len(lost) == len(worked.references)
    assert all("missing from the reference list" in text for text in lost)


def test_references_link_their_doi(tree: ET.Element) -> None:
    links = {a.get("href") for a in by_id(tree, "references").iter("a")}
    assert "https://doi.org/10.1111/his.13758" in links
    assert "https://doi.org/10.4143/crt.2019.192" in links, "a DOI given as a URL is linked once"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "file:///etc/passwd", "x"]
)
def test_only_web_addresses_are_linked(url: str, worked: WorkedUpCase) -> None:
    references = tuple(Reference(key=r.key, title=r.title, doi=url, url=url) for r in worked.references)
    tree = parsed(render(worked.model_copy(update={"references": references})))
    assert list(by_id(tree, "references").iter("a")) == []


def test_nothing_is_loaded_and_nothing_runs(page: str, tree: ET.Element) -> None:
    assert {e.tag for e in tree.iter()} & {"script", "link", "iframe", "object", "embed", "form", "base"} == set()
    for element in tree.iter():
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name != "style"
            if name in ("src", "srcset", "data", "poster", "action"):
                assert value.startswith("data:image/"), value
    style = tree.findtext("head/style") or ""
    assert "url(" not in style
    assert "@import" not in style
    policies = [e.get("content", "") for e in tree.iter("meta") if e.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    raw = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert raw is not None
    digest = base64.b64encode(hashlib.sha256(raw[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policies[0]
    assert "default-src 'none'" in policies[0]


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onfocus='alert(1)",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "&lt;script&gt; &amp; ]]> <!-- -->",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_was_typed_is_text_wherever_it_was_typed(attack: str, worked: WorkedUpCase) -> None:
    page = render(poisoned(worked, attack))
    assert JustHTML(page, strict=True).errors == []
    tree, clean = parsed(page), parsed(render(worked))
    assert {e.tag for e in tree.iter()} == {e.tag for e in clean.iter()}
    assert {name for e in tree.iter() for name in e.attrib} == {name for e in clean.iter() for name in e.attrib}
    assert "".join(tree.itertext()).count(attack) > 200, "the text itself is printed"
    for link in tree.iter("a"):
        assert link.get("href", "").startswith(("#", "https://", "http://"))


@pytest.mark.parametrize("hidden", ["\x00", "\x1b", "\u202e", "\u2066", "\ud800", "\x85"])
def test_characters_that_hide_or_reverse_text_are_dropped(hidden: str, worked: WorkedUpCase) -> None:
    page = render(poisoned(worked, f"be{hidden}nign"))
    assert JustHTML(page, strict=True).errors == []
    page.encode()
    assert hidden not in page
    assert page.count("benign") > 200


def poisoned(record: Any, attack: str) -> Any:
    """``record`` with ``attack`` after every text that no closed vocabulary holds, unchecked by any validation."""
    if isinstance(record, Record):
        changed = {
            name: poisoned(getattr(record, name), attack)
            for name, field in type(record).model_fields.items()
            if "Literal" not in str(field.annotation)
        }
        return record.model_copy(update=changed)
    if isinstance(record, tuple | list):
        return tuple(poisoned(item, attack) for item in record)
    if isinstance(record, dict):
        return {key: poisoned(value, attack) for key, value in record.items()}
    if isinstance(record, str) and not isinstance(record, StrEnum):
        return f"{record} {attack}"
    return record


def test_is_accessible_in_structure(tree: ET.Element) -> None:
    html = tree
    assert html.get("lang") == "en-GB"
    assert [len(list(tree.iter(tag))) for tag in ("main", "header", "footer", "nav", "h1")] == [1] * 5
    ids = [e.get("id") for e in tree.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for link in tree.iter("a"):
        target = link.get("href", "")
        if target.startswith("#"):
            assert target[1:] in ids, target
    levels = [int(e.tag[1]) for e in tree.iter() if re.fullmatch(r"h[1-6]", e.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    for table in tree.iter("table"):
        assert table.findtext("caption"), "a table without caption"
        assert all(th.get("scope") == "col" for th in table.findall("thead/tr/th"))
        assert all(row[0].tag == "th" and row[0].get("scope") == "row" for row in table.findall("tbody/tr"))
        width = len(table.findall("thead/tr/th"))
        assert {len(row) for row in table.findall("tbody/tr")} == {width}
    for image in tree.iter("img"):
        assert len(image.get("alt", "")) > 10
    for drawing in tree.iter("svg"):
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label")
    for labelled in tree.iter():
        if labelled.get("aria-labelledby"):
            assert labelled.get("aria-labelledby") in ids


def test_the_improbable_rest_is_folded(tree: ET.Element, worked: WorkedUpCase) -> None:
    folds = [
        f for f in by_id(tree, "differential").iter("details") if "less probable" in (f.findtext("summary") or "")
    ]
    assert len(folds) == 1
    hidden = {text_of(h).split(". ", 1)[1] for h in folds[0].iter("h3")}
    assert hidden == {d.name for d in worked.differential.diagnoses if d.posterior < 0.01}


def test_findings_that_hardly_count_are_folded(tree: ET.Element) -> None:
    first = next(part for part in by_id(tree, "differential").iter("div") if part.get("class") == "part")
    shown = [float(d.get("value", "")) for table in first.findall("div/table") for d in table.iter("data")]
    assert shown == sorted(shown, key=lambda value: -abs(value))
    assert min(abs(value) for value in shown) >= 0.05
    for fold in by_id(tree, "differential").iter("details"):
        if "hardly move" in (fold.findtext("summary") or ""):
            assert all(abs(float(d.get("value", ""))) < 0.05 for d in fold.iter("data"))


def test_bars_point_the_way_the_weight_does(tree: ET.Element, worked: WorkedUpCase) -> None:
    section = by_id(tree, "differential")
    seen = 0
    for row in section.iter("tr"):
        rectangle, figure = row.find(".//rect"), row.find(".//data")
        if rectangle is None or figure is None:
            continue
        value = float(figure.get("value", ""))
        start, width = (float(rectangle.get(name, "").rstrip("%")) for name in ("x", "width"))
        side = rectangle.get("class", "").split()[0]
        assert side == ("for" if value >= 0 else "against")
        assert start == pytest.approx(50.0 if value >= 0 else 50.0 - width, abs=0.02)
        seen += 1
    assert seen == len(worked.differential.weights)


def test_the_scale_keeps_what_lies_outside_at_its_edge() -> None:
    assert weight_span(-9, 9, 2) == {"x": "0.00%", "end": "100.00%", "width": "100.00%"}
    assert weight_span(0, -1, 2) == {"x": "25.00%", "end": "50.00%", "width": "25.00%"}
    assert decades(2.5) == ["10.00%", "30.00%", "70.00%", "90.00%"]


def test_the_index_by_cut_is_drawn_to_scale(tree: ET.Element) -> None:
    drawing = next(e for e in by_id(tree, "slides").iter("svg") if e.find("polyline") is not None)
    label = drawing.get("aria-label", "").replace("\N{NO-BREAK SPACE}", " ")
    assert label == "Index by positivity cut: 90 % at 0.1; 55 % at 0.3; 20 % at 0.5"
    line = drawing.find("polyline")
    assert line is not None
    points = [tuple(map(float, p.split(","))) for p in line.get("points", "").split()]
    # the x axis runs from 44 to 392 for 0 to 0.5, the y axis from 150 up to 10 for 0 to 100 %
    assert points == [(113.6, 24.0), (252.8, 73.0), (392.0, 122.0)]
    mark = next(e for e in drawing.iter("line") if e.get("class") == "mark")
    assert float(mark.get("x1", "")) == pytest.approx(44 + 348 * 0.24 / 0.5, abs=0.06)


def test_shares_of_a_stain_are_drawn(tree: ET.Element) -> None:
    said = text_of(by_id(tree, "slides"))
    assert "Intensity, share of tumour cells" in said
    assert "Perinuclear dot 93 %" in said


def test_pictures_are_inside_the_page_and_absent_ones_are_named(tree: ET.Element, picture: bytes) -> None:
    figures = [f for f in tree.iter("figure") if f.get("class") != "curve"]
    assert len(figures) == 2
    image = figures[0].find(".//img")
    assert image is not None
    assert base64.b64decode(image.get("src", "").partition(",")[2]) == picture
    assert "not supplied" in text_of(figures[1])
    assert text_of(figures[0]).startswith("Figure 1. ki67.png, Ki-67. Ki-67, hottest 500 cells.")


def test_the_pictures_of_a_slide_are_lettered_panels_of_one_figure(worked: WorkedUpCase, picture: bytes) -> None:
    slide = worked.counts[0].slide
    pictures = tuple(SlidePicture(slide=slide, path=f"{n}.png", caption=f"view {n}") for n in (1, 2, 3))
    page = render(worked.model_copy(update={"pictures": pictures}), pictures={"1.png": picture, "3.png": picture})
    figures = [f for f in parsed(page).iter("figure") if f.get("class") != "curve"]
    assert len(figures) == 1
    caption = text_of(next(figures[0].iter("figcaption")))
    assert caption == "Figure 1. ki67.png, Ki-67. A, view 1. B, view 2. C, view 3."
    panels = [e for e in figures[0].iter("div") if e.get("class") == "panel"]
    assert [text_of(p) for p in panels] == ["A", "The picture was not supplied with this report. B", "C"]
    assert [i.get("alt") for i in figures[0].iter("img")] == [
        "Figure 1A: ki67.png, Ki-67, view 1",
        "Figure 1C: ki67.png, Ki-67, view 3",
    ]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\nrest", "image/png"),
        (b"\xff\xd8\xffrest", "image/jpeg"),
        (b"<svg onload='x'/>", None),
        (b"", None),
    ],
)
def test_only_pictures_by_their_bytes(data: bytes, kind: str | None, worked: WorkedUpCase) -> None:
    assert media_type(data) == kind
    page = render(worked, pictures={"ki67-hot-spot.png": data})
    assert ("data:image" in page.partition("</head>")[2]) is (kind is not None)


def test_folders_of_slides_are_not_printed(worked: WorkedUpCase) -> None:
    count = worked.counts[0].model_copy(update={"slide": "/home/jane.doe/clinic/ki67.svs"})
    page = render(worked.model_copy(update={"counts": (count,)}))
    assert "jane.doe" not in page
    assert "ki67.svs" in page


def test_nothing_counted_is_no_index(worked: WorkedUpCase) -> None:
    nothing = worked.counts[0].model_copy(
        update={"counted": 0, "positive": 0, "index_percent": None, "interval_95": None, "hotspots": ()}
    )
    assert isinstance(nothing, CellCount)
    tree = parsed(render(worked.model_copy(update={"counts": (nothing,)})))
    assert "no index: nothing was counted" in text_of(by_id(tree, "ki67"))


def test_findings_stand_under_their_state(tree: ET.Element) -> None:
    table = by_id(tree, "recorded").find(".//table")
    assert table is not None
    rows = {text_of(row[0]): text_of(row[1]) for row in table.findall("tbody/tr")}
    assert list(rows) == ["Present", "Absent", "Equivocal", "Not tested"]
    assert "AE1/AE3 (perinuclear dot)" in rows["Present"]
    assert "CT: metastases in liver" in rows["Absent"]
    assert rows["Equivocal"] == "none recorded"
    assert rows["Not tested"] == "CK20; TTF-1"


def test_a_case_alone_renders_without_any_name(worked: WorkedUpCase) -> None:
    bare = worked.model_copy(update={"names": {}, "case": Case()})
    parsed(render(bare))


def test_the_first_page_speaks_for_the_leading_diagnosis_alone(worked: WorkedUpCase) -> None:
    plan = worked.plan
    leading, other = (worked.differential.diagnoses[i].entity for i in (0, 1))
    options = tuple(o.model_copy(update={"entity": leading}) for o in plan.options)
    alien = plan.options[0].model_copy(update={"option": "Something else", "entity": other})
    visits = (plan.follow_up[0].model_copy(update={"what": "another visit", "entity": other}),)
    changed = plan.model_copy(update={"options": (*options, alien), "follow_up": (*plan.follow_up, *visits)})
    tree = parsed(render(worked.model_copy(update={"plan": changed})))
    assert "Something else" not in text_of(by_id(tree, "options"))
    assert "Adjuvant radiotherapy" in text_of(by_id(tree, "options"))
    assert "Another visit" not in text_of(by_id(tree, "follow-up"))
    titles = [text_of(h) for h in by_id(tree, "options-all").iter("h3")]
    assert titles == ["As Merkel cell carcinoma", "As Extrapulmonary small cell carcinoma"]
    assert "Another visit" in text_of(by_id(tree, "follow-up-all"))
