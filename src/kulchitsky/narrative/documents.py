"""Report files to plain text: .txt, .md, .docx and .pdf, with clear refusals and bounded size."""

from __future__ import annotations

import codecs
import os
import re
import zipfile
from pathlib import Path

import docx
import pypdf
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from pypdf.errors import PyPdfError

from kulchitsky.case.errors import RefusedReport

MAX_BYTES = 20_000_000
"""A scanned report with pictures stays below this; beyond it a file is something else."""

MAX_CHARACTERS = 600_000
"""About 200 pages of prose."""

MAX_UNPACKED_BYTES = 200_000_000
"""What a .docx may unpack to: a small archive must not fill the memory."""

MAX_PDF_PAGES = 500

PLAIN = (".txt", ".md", ".text", ".markdown")
KINDS = (*PLAIN, ".docx", ".pdf")

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(path: str | os.PathLike[str]) -> str:
    """Text of a report file.

    Raises :class:`RefusedReport` when the file is missing, a folder, empty, too large, of an unknown kind, damaged,
    encrypted, binary, or a PDF without a text layer.
    """
    file = Path(path)
    source = file.name or str(file)
    raw = _bytes_of(file, source)
    suffix = file.suffix.lower()
    if suffix not in KINDS:
        raise RefusedReport(
            f"'{suffix or 'no ending'}' is not a kind of report that can be read",
            source=source,
            remedy=f"save it as one of {', '.join(('.txt', '.md', '.docx', '.pdf'))}",
        )
    if suffix == ".docx":
        text = _docx_text(file, source)
    elif suffix == ".pdf":
        text = _pdf_text(file, source)
    else:
        text = decode(raw, source=source)
    return checked_text(text, source=source)


def checked_text(text: str, *, source: str) -> str:
    """The text itself, once it is known to be prose of a usable size.

    Raises :class:`RefusedReport` when it is longer than ``MAX_CHARACTERS`` or mostly control characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise RefusedReport(
            f"holds {len(text) / 1e6:.1f} million characters, and a report has at most {MAX_CHARACTERS / 1e6:.1f}",
            source=source,
            remedy="give the report alone, not an archive of reports",
        )
    sample = text[:200_000]
    strange = len(_CONTROL.findall(sample)) + sample.count("\ufffd")
    if sample and strange / len(sample) > 0.02:
        raise RefusedReport(
            "does not look like text", source=source, remedy="save the report as UTF-8 text, .docx or .pdf"
        )
    return text


def decode(raw: bytes, *, source: str) -> str:
    """Bytes as text: a byte order mark decides, then UTF-8, then UTF-16 without mark, then Windows-1252.

    Raises :class:`RefusedReport` for binary content.
    """
    for mark, encoding in _BOMS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    zeros = raw[:4000].count(0)
    if zeros > 0.2 * min(len(raw), 4000):
        encoding = "utf-16-le" if raw[1:4000:2].count(0) >= raw[0:4000:2].count(0) else "utf-16-be"
        return raw.decode(encoding, errors="replace")
    if zeros:
        raise RefusedReport("is not text", source=source, remedy="save the report as UTF-8 text, .docx or .pdf")
    return raw.decode("cp1252", errors="replace")


def _bytes_of(file: Path, source: str) -> bytes:
    try:
        if file.is_dir():
            raise RefusedReport("is a folder, not a report", source=source, remedy="name the report file inside it")
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise RefusedReport(
                f"is {size / 1e6:.0f} MB, and a report is at most {MAX_BYTES / 1e6:.0f} MB",
                source=source,
                remedy="give the report alone, without slides or pictures",
            )
        raw = file.read_bytes()
    except FileNotFoundError:
        raise RefusedReport("does not exist", source=source, remedy="check the path") from None
    except OSError as error:
        raise RefusedReport(
            f"cannot be read ({error.strerror})", source=source, remedy="check the path and its permissions"
        ) from None
    if not raw.strip():
        raise RefusedReport("is empty", source=source, remedy="give a report with text")
    return raw


def _docx_text(file: Path, source: str) -> str:
    damaged = RefusedReport(
        "is not a readable .docx document", source=source, remedy="open and save it again, or use .txt"
    )
    try:
        with zipfile.ZipFile(file) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED_BYTES:
            raise RefusedReport(
                f"unpacks to {unpacked / 1e6:.0f} MB", source=source, remedy="save the text of the report as .txt"
            )
        document = docx.Document(str(file))
        return "\n".join(_docx_lines(document))
    except (zipfile.BadZipFile, PackageNotFoundError, KeyError, ValueError, SyntaxError, OSError) as error:
        if isinstance(error, RefusedReport):
            raise
        raise damaged from None


def _docx_lines(document: Document) -> list[str]:
    lines: list[str] = []
    for block in document.iter_inner_content():
        if isinstance(block, Paragraph):
            bullet = "- " if block.style is not None and "List" in str(block.style.name) else ""
            lines.append(bullet + block.text)
        elif isinstance(block, Table):
            lines.extend(" | ".join(cell.text.replace("\n", " ") for cell in row.cells) for row in block.rows)
    return lines


def _pdf_text(file: Path, source: str) -> str:
    try:
        reader = pypdf.PdfReader(file)
        if reader.is_encrypted and not reader.decrypt(""):
            raise RefusedReport("is encrypted", source=source, remedy="save a copy without a password")
        if len(reader.pages) > MAX_PDF_PAGES:
            raise RefusedReport(
                f"has {len(reader.pages)} pages, and a report has at most {MAX_PDF_PAGES}",
                source=source,
                remedy="give the pages of the report alone",
            )
        text = "\n\n".join(page.extract_text() or "" for page in reader.pages)
    except RefusedReport:
        raise
    # pypdf lets many kinds of error out on damaged files, RecursionError and TypeError among them
    except (PyPdfError, OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise RefusedReport(
            "is not a readable PDF", source=source, remedy="print it to PDF again, or use .txt"
        ) from None
    if not text.strip():
        raise RefusedReport(
            "holds pictures of pages and no text", source=source, remedy="run text recognition on it first"
        )
    return text
