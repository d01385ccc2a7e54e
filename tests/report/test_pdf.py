"""The printed report: opens, holds what the page holds, and is the same each time."""

from __future__ import annotations

import io
from pathlib import Path

import pypdf
import pytest

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report import pdf
from kulchitsky.report.wording import INTENDED_USE


def pages(content: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(content)).pages]


@pytest.fixture(scope="module")
def printed(worked: WorkedUpCase, picture: bytes) -> bytes:
    return pdf.render(worked, pictures={"ki67-hot-spot.png": picture})


def test_the_synopsis_is_one_page(printed: bytes) -> None:
    first, second, *_ = pages(printed)
    for said in (
        "Worked-up case thigh-mass",
        "Merkel cell carcinoma 78 % (61–89 %)",
        "Next stain",
        "What contradicts Primary soft-tissue NET",
        "Adjuvant radiotherapy",
        "Look first",
    ):
        assert said in first
    assert "The case as recorded" not in first
    assert "The case as recorded" in second


def test_every_page_states_the_intended_use(printed: bytes) -> None:
    assert all(INTENDED_USE in page for page in pages(printed))


def test_references_and_versions_are_printed(printed: bytes) -> None:
    whole = " ".join(pages(printed))
    for said in ("doi:10.1111/his.13758", "References", "ab" * 32, "kulchitsky 0.1.0, knowledge 2026.11"):
        assert said in whole


def test_is_tagged_titled_and_reproducible(printed: bytes, worked: WorkedUpCase, picture: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(printed))
    assert reader.metadata is not None
    assert reader.metadata.title == "Worked-up case: thigh-mass"
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] is True or bool(root["/MarkInfo"]["/Marked"])
    assert root["/Lang"] == "en-GB"
    assert pdf.render(worked, pictures={"ki67-hot-spot.png": picture}) == printed


def test_every_font_is_inside(printed: bytes) -> None:
    names = set()
    for page in pypdf.PdfReader(io.BytesIO(printed)).pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            descriptor = inner["/FontDescriptor"].get_object()
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
            names.add(inner["/BaseFont"].split("+")[1].split("-")[0])
    assert "LibertinusSerif" in names


def test_pictures_are_printed(printed: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(printed))
    assert sum(len(page.images) for page in reader.pages) == 1


TYPED = (
    *(
        "#pagebreak()",
        "$x^2$",
        "*bold* _it_",
        "@reference",
        "<label>",
        '#read("/etc/passwd")',
        "\\ `raw` //",
        "= Heading",
    ),
    *('#import "x"', "#{", "]", '"quoted"', "// comment", "/* open"),
)


def test_what_was_typed_is_never_markup(worked: WorkedUpCase) -> None:
    case = worked.case.model_copy(update={"notes": " ".join(f"before {typed} after" for typed in TYPED)})
    whole = "".join("".join(page.split()) for page in pages(pdf.render(worked.model_copy(update={"case": case}))))
    assert [typed for typed in TYPED if f"before{''.join(typed.split())}after" not in whole] == []


def test_an_empty_case_prints(empty: WorkedUpCase) -> None:
    first = pages(pdf.render(empty))[0]
    assert first.count("Undetermined.") == 7


def test_a_long_synopsis_is_shrunk_to_its_page(worked: WorkedUpCase) -> None:
    long = worked.stage.model_copy(update={"readings": worked.stage.readings * 4})
    first, second, *_ = pages(pdf.render(worked.model_copy(update={"stage": long})))
    assert "Look first" in first
    assert "The case as recorded" in second


def test_is_written_whole(tmp_path: Path, empty: WorkedUpCase) -> None:
    path = pdf.write(empty, tmp_path / "new" / "report.pdf")
    assert path.read_bytes().startswith(b"%PDF-")
    assert [p.name for p in path.parent.iterdir()] == ["report.pdf"]
