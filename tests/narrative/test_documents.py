"""Files to text: kinds, encodings, and clear refusals."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfWriter

from kulchitsky.case.errors import RefusedReport
from kulchitsky.narrative import documents
from kulchitsky.narrative.documents import MAX_CHARACTERS, decode, text_of
from kulchitsky.narrative.read_text import read_text

PROSE = "A woman of 77 years. CK20 negative – chromogranin positive. Größe 5 cm, 10.21 ×10³/µL."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "report.txt"
    file.write_bytes(PROSE.encode(encoding))
    assert text_of(file) == PROSE


def test_windows_text(tmp_path: Path) -> None:
    file = tmp_path / "report.txt"
    file.write_bytes("CK20 – positive, 5 µm".encode("cp1252"))
    assert text_of(file) == "CK20 – positive, 5 µm"


def test_word_document_keeps_paragraphs_lists_and_tables_in_order(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_paragraph("Woman, 77 years.")
    document.add_paragraph("CK20 negative", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(table._cells, ("Stain", "Result", "CD56", "positive"), strict=True):
        cell.text = words
    document.add_paragraph("End.")
    file = tmp_path / "report.docx"
    document.save(str(file))
    text = text_of(file)
    assert text.splitlines() == ["Woman, 77 years.", "- CK20 negative", "Stain | Result", "CD56 | positive", "End."]
    assert {(m.marker, m.state.value) for m in read_text(text).case.markers} == {
        ("ck20", "absent"),
        ("cd56", "present"),
    }


def pdf_with(text: str, path: Path) -> None:
    """A PDF of one page, written by hand: catalogue, page, font, one line of text."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    xref = len(body)
    body += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in offsets)
    body += b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % xref
    path.write_bytes(body)


def test_pdf(tmp_path: Path) -> None:
    file = tmp_path / "report.pdf"
    pdf_with("Woman aged 77. CK20 was negative.", file)
    assert "CK20 was negative." in text_of(file)


def test_pdf_of_pictures_is_refused(tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    file = tmp_path / "scan.pdf"
    writer.write(file)
    with pytest.raises(RefusedReport, match="run text recognition"):
        text_of(file)


def test_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret", algorithm="RC4-128")
    file = tmp_path / "locked.pdf"
    writer.write(file)
    with pytest.raises(RefusedReport, match="password"):
        text_of(file)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.txt", None, "does not exist"),
        ("empty.txt", b"", "is empty"),
        ("blank.txt", b"  \n\t ", "is empty"),
        ("slide.svs", b"II*\x00", "not a kind of report"),
        ("noending", b"text", "not a kind of report"),
        ("binary.txt", bytes(range(256)) * 20, "text"),
        ("zeros.txt", b"CK20\x00\x01\x02positive" * 30, "text"),
        ("broken.docx", b"PK\x03\x04nonsense", "not a readable .docx"),
        ("broken.pdf", b"%PDF-1.4\nnonsense", "not a readable PDF"),
    ],
)
def test_refusals_name_file_and_remedy(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RefusedReport) as caught:
        text_of(file)
    assert words in str(caught.value)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedReport, match="folder"):
        text_of(tmp_path)


def test_ten_megabytes_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "archive.txt"
    file.write_bytes(b"CK20 positive. " * 700_000)
    with pytest.raises(RefusedReport, match="million characters"):
        text_of(file)
    with pytest.raises(RefusedReport, match="million characters"):
        read_text("x" * (MAX_CHARACTERS + 1))


def test_a_word_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = docx.Document()
    document.add_paragraph("CK20 positive")
    file = tmp_path / "report.docx"
    document.save(str(file))
    monkeypatch.setattr(documents, "MAX_UNPACKED_BYTES", 1000)
    with pytest.raises(RefusedReport, match="unpacks"):
        text_of(file)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=3000))
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        text = decode(raw, source="report.txt")
        read_text(text)
    except RefusedReport:
        pass


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=800))
def test_any_text_is_read_and_spans_hold(text: str) -> None:
    try:
        reading = read_text(text)
    except RefusedReport:
        return
    for fact in reading.facts:
        assert text[fact.start : fact.end] == fact.text


def test_right_to_left_text_gives_an_empty_case() -> None:
    reading = read_text(
        "המטופלת בת שבעים ושבע עם גוש בירך השמאלית. " * 20 + "المريضة في السابعة والسبعين من عمرها. " * 20
    )
    assert reading.case.markers == ()
    assert reading.case.patient.age_years is None


def test_stains_inside_right_to_left_text_are_found() -> None:
    text = "אימונוהיסטוכימיה: CK20 (+), TTF-1 (-)."
    states = {m.marker: m.state.value for m in read_text(text).case.markers}
    assert states == {"ck20": "present", "ttf1": "absent"}
