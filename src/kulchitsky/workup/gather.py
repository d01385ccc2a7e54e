"""Find what a case is made of: a case file or prose, and the slides beside it or named on the command line."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import SlideRef
from kulchitsky.knowledge.aliases import resolve_marker
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.narrative.documents import text_of
from kulchitsky.narrative.read_text import read_text
from kulchitsky.workup.gathered import Gathered
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.slide_names import SLIDE_ENDINGS, stain_of_name

CASE_ENDINGS = frozenset({".yaml", ".yml", ".json"})
PROSE_ENDINGS = frozenset({".txt", ".md", ".docx", ".pdf"})


def gather(path: str | os.PathLike[str], slides: Iterable[str] = ()) -> Gathered:
    """Read the case at ``path`` (file or folder) and add the slides found or named.

    ``slides`` are written ``STAIN=PATH`` or ``STAIN=PATH@UM_PER_PX``. In a folder, a slide that the case does not
    list is taken up when its name starts with the name of a marker (``ki67.tif``, ``chromogranin_a-2.png``).
    """
    target = Path(path)
    if not target.exists():
        raise RefusedCase("does not exist", source=str(path), remedy="check the path")
    source = _chart_in(target) if target.is_dir() else target
    gathered = _read(source)
    listed = {(gathered.folder / s.path).resolve() for s in gathered.case.slides}
    extra = [parse_slide_option(text) for text in slides]
    if target.is_dir():
        extra += [s for s in _slides_in(target) if (target / s.path).resolve() not in listed]
    if not extra:
        return gathered
    case = gathered.case.model_copy(update={"slides": (*gathered.case.slides, *extra)})
    return Gathered(case, gathered.folder, source, gathered.sha256, gathered.reading)


def parse_slide_option(text: str) -> SlideRef:
    """``ki67=tile.png@0.227`` as a slide of the case, its path made absolute."""
    match = re.fullmatch(r"([^=]+)=(.+?)(?:@([0-9.]+))?", text)
    stain = resolve_marker(match[1]) if match else None
    if match is None or stain is None:
        raise RefusedCase(
            f"{text!r} does not name a stain and a slide",
            source="--slide",
            remedy="write --slide ki67=PATH or ki67=PATH@0.25",
        )
    scale = float(match[3]) if match[3] else None
    return SlideRef(path=str(Path(match[2]).resolve()), stain=stain, um_per_px=scale)


def _read(source: Path) -> Gathered:
    ending = source.suffix.lower()
    if ending in CASE_ENDINGS:
        return Gathered(read_case(source), source.parent, source, _sha256(source))
    if ending in PROSE_ENDINGS:
        reading = read_text(text_of(source), source=str(source), knowledge=load_knowledge())
        return Gathered(reading.case, source.parent, source, _sha256(source), reading)
    raise RefusedCase(
        f"is neither a case file nor report prose (ending {ending or 'none'})",
        source=str(source),
        remedy="give a .yaml or .json case, a .txt, .md, .docx or .pdf report, or a folder with one of them",
    )


def _chart_in(folder: Path) -> Path:
    """The one chart of a folder: ``case.*`` before other case files, and those before prose (``report.*`` first).

    Two candidates of the same rank are ambiguous and refused.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.stem.lower() != "readme")
    for endings, usual, what in ((CASE_ENDINGS, "case", "case files"), (PROSE_ENDINGS, "report", "reports")):
        found = [p for p in files if p.suffix.lower() in endings]
        found = [p for p in found if p.stem.lower() == usual] or found
        if len(found) > 1:
            names = ", ".join(p.name for p in found[:4])
            raise RefusedCase(
                f"holds several {what} ({names})", source=str(folder), remedy="name the one that is meant"
            )
        if found:
            return found[0]
    raise RefusedCase(
        "holds neither a case file nor a report", source=str(folder), remedy="put case.yaml or report.txt into it"
    )


def _slides_in(folder: Path) -> list[SlideRef]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SLIDE_ENDINGS:
            stain = stain_of_name(path.stem)
            if stain is not None:
                found.append(SlideRef(path=path.name, stain=stain))
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
