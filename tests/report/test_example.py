"""The shipped example, worked up from its chart and slides, as the reader of its report finds it."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pypdf
import pytest
from justhtml import JustHTML

from kulchitsky.workup.work_up import work_up

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("thigh")
    return work_up(EXAMPLE, out, detector="fast", formats=("html", "json", "pdf"))[1]


@pytest.fixture(scope="module")
def tree(files: dict[str, Path]) -> ET.Element:
    return ET.fromstring(files["html"].read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>\n"))


def said(tree: ET.Element, anchor: str) -> str:
    section = next(e for e in tree.iter("section") if e.get("id") == anchor)
    return " ".join("".join(section.itertext()).replace("\N{WORD JOINER}", "").split())


def test_is_valid_and_equal_to_its_json(files: dict[str, Path], tree: ET.Element, figures: Any) -> None:
    assert JustHTML(files["html"].read_text(encoding="utf-8"), strict=True).errors == []
    assert figures.compare(tree, json.loads(files["json"].read_bytes())) > 300


def test_every_source_resolves(tree: ET.Element) -> None:
    entries = [e for e in tree.iter("li") if (e.get("id") or "").startswith("ref-")]
    assert len(entries) > 40
    assert [e for e in entries if e.get("class") == "unresolved"] == []


def test_the_first_page_says_what_a_board_needs(tree: ET.Element) -> None:
    ranked = [row[0].text for row in next(tree.iter("tbody"))]
    assert ranked[0] == "Merkel cell carcinoma"
    assert "Well-differentiated" not in " ".join(name or "" for name in ranked[:3])
    assert "perinuclear dot" in said(tree, "diagnosis")
    assert "CK20" in said(tree, "next-stain")
    assert "Ki-67" in said(tree, "contradictions")
    assert "pT4" in said(tree, "stage")
    assert "CEA of 0.777 ng/dL" in said(tree, "look-first")
    assert "hottest such window" in said(tree, "ki67")


def test_the_seventy_percent_are_refused_with_a_sourced_figure(tree: ET.Element) -> None:
    row = next(r for r in tree.iter("tr") if "without metastasis is 70" in (r[0].text or ""))
    assert "contradicted" in "".join(row[1].itertext())
    assert [a for a in row[2].iter("a") if a.get("href", "").startswith("#ref-")]


def test_the_pictures_are_inside(tree: ET.Element) -> None:
    assert len([i for i in tree.iter("img") if i.get("src", "").startswith("data:image/")]) >= 3


def test_the_printed_synopsis_is_one_page(files: dict[str, Path]) -> None:
    pages = [p.extract_text() for p in pypdf.PdfReader(io.BytesIO(files["pdf"].read_bytes())).pages]
    assert "Look first" in pages[0]
    assert "Follow-up" in pages[0]
    assert pages[1].lstrip().split("\n")[1].startswith("A")
    assert "The case as recorded" in pages[1]
