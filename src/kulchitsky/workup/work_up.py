"""The main job: chart and slides in, the worked-up case out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.knowledge.aliases import resolve_entity
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.knowledge.rules import load_rules
from kulchitsky.workup.conclude import conclude
from kulchitsky.workup.gather import gather
from kulchitsky.workup.look_at_slides import Tell, look_at_slides
from kulchitsky.workup.write_report import write_report


def work_up(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    diagnosis: str | None = None,
    slides: Iterable[str] = (),
    detector: str = "accurate",
    formats: Sequence[str] = ("html", "json", "pdf", "fhir", "ics"),
    tell: Tell | None = None,
    today: dt.date | None = None,
) -> tuple[WorkedUpCase, dict[str, Path]]:
    """Work up the case at ``path`` and, where ``out`` is given, write its report there.

    ``path`` is a case file, report prose, or a folder with one of them and its slides; ``slides`` adds more, as
    ``STAIN=PATH[@UM_PER_PX]``. ``diagnosis`` is the working diagnosis to challenge; else the one of the case; else
    the leading entity. Returns the result and the files written, by format. A slide that cannot be read becomes a
    serious issue of the result: it never stops the rest.
    """
    knowledge, rules = load_knowledge(), load_rules()
    working = _entity(diagnosis, knowledge)
    gathered = gather(path, slides)
    seen = look_at_slides(gathered, detector=detector, out=Path(out) if out is not None else None, tell=tell)
    worked = conclude(seen, gathered, knowledge, rules, working=working, today=today or dt.date.today())
    files = write_report(worked, Path(out), formats=formats, base=Path(out)) if out is not None else {}
    return worked, files


def _entity(text: str | None, knowledge: KnowledgeBase) -> str | None:
    if text is None:
        return None
    found = resolve_entity(text)
    if found is None:
        known = ", ".join(sorted(knowledge.entities)[:6])
        raise RefusedCase(
            f"{text!r} is not a known entity",
            source="--diagnosis",
            remedy=f"use an id or usual name ({known} ...)",
        )
    return found
