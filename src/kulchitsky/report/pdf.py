"""The report as PDF, set by typst from the same document as the HTML.

Only typst's own fonts are used and no package is fetched: the pages are the same on every machine and no network
is touched. Text enters as data, never as markup.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import typst

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report.blocks import plain
from kulchitsky.report.content.document import build
from kulchitsky.report.files import write_whole
from kulchitsky.report.html import media_type

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg"}


def write(worked: WorkedUpCase, path: Path, *, pictures: Mapping[str, bytes] | None = None) -> Path:
    """Write the report of ``worked`` to ``path`` as a tagged PDF; ``pictures`` as for the HTML.

    Folded parts are left to the HTML; their summary is printed. Raises ``OSError`` where ``path`` cannot be written.
    """
    return write_whole(path, render(worked, pictures=pictures))


def render(worked: WorkedUpCase, *, pictures: Mapping[str, bytes] | None = None) -> bytes:
    """The PDF as bytes; the same case gives the same bytes."""
    usable = {name: data for name, data in (pictures or {}).items() if media_type(data)}
    with tempfile.TemporaryDirectory(prefix="kulchitsky-report-") as folder:
        root = Path(folder)
        files: dict[str, str] = {}
        for number, (name, data) in enumerate(usable.items()):
            files[name] = f"picture-{number}.{_ENDINGS[media_type(data) or '']}"
            (root / files[name]).write_bytes(data)
        template = resources.files("kulchitsky.report").joinpath("templates/report.typ").read_text(encoding="utf-8")
        (root / "report.typ").write_text(template, encoding="utf-8")
        content = {"document": plain(build(worked, usable)), "pictures": files}
        (root / "report.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        stamp = worked.versions.created or dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
        compiler = typst.Compiler(
            root / "report.typ", root=root, font_paths=typst.Fonts(include_system_fonts=False), package_path=root
        )
        compiled = compiler.compile(format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=int(stamp.timestamp()))
    assert isinstance(compiled, bytes)
    return compiled
