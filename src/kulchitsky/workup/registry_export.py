"""Export cases of a registry: without identifiers unless asked, in the format that the receiver reads."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.exchange.cbioportal import write_study
from kulchitsky.exchange.deidentify import deidentify
from kulchitsky.exchange.fhir import bundle, case_bundle
from kulchitsky.exchange.phenopacket import phenopacket, to_text
from kulchitsky.exchange.redcap import write_project
from kulchitsky.exchange.table import write_csv, write_parquet
from kulchitsky.exchange.whole_file import write_folder
from kulchitsky.knowledge.base import load_knowledge
from kulchitsky.registry.records import StoredCase
from kulchitsky.registry.selection import parse_condition, select
from kulchitsky.registry.store import Registry
from kulchitsky.registry.verdicts import latest_work_up
from kulchitsky.workup.registry_person import registry_person
from kulchitsky.workup.registry_series import COLLECTION

Format = Literal["csv", "parquet", "redcap", "cbioportal", "fhir", "phenopacket"]
FORMATS: tuple[str, ...] = get_args(Format)


@dataclass(frozen=True, slots=True)
class Exported:
    """What went out: how many cases, where, in which format, with or without identifiers."""

    cases: int
    path: Path
    format: str
    deidentified: bool


def registry_export(
    out: str | os.PathLike[str],
    format: Format,
    *,
    registry: str | None = None,
    where: Sequence[str] = (),
    collection: str | None = None,
    complete: bool = False,
    drop_terms: bool = False,
    study: str = "nen_kulchitsky",
    name: str = "Neuroendocrine neoplasms (kulchitsky registry)",
) -> Exported:
    """Write the cases that ``where`` and ``collection`` leave to ``out``.

    CSV and Parquet are files, the other formats folders that must not exist yet. Identifiers, free text, dates and
    slide paths stay behind unless ``complete``; a case that cannot be cleared stops the export before anything is
    written. Published cases of a shipped series leave as they are. FHIR bundles carry the verdicts of the work-up
    that was kept of exactly this record.
    """
    if format not in FORMATS:
        raise RefusedCase(f"no format {format}", source="registry export", remedy=f"choose {', '.join(FORMATS)}")
    with Registry.open(registry, who=registry_person("reader"), create=False) as store:
        ids = None
        if where:
            packed = store.packed(collection=collection)
            ids = packed.ids[select(packed, [parse_condition(text) for text in where])].tolist()
        stored = list(store.cases(collection=collection, ids=ids))
        worked = {s.key: latest_work_up(store.engine, s.case) for s in stored} if format == "fhir" else {}
    cases = [_cleared(s, drop_terms) if not complete else s.case for s in stored]
    if not cases:
        raise RefusedCase("no case to export", source="registry export", remedy="choose other cases")
    path = Path(out)
    writers: dict[str, Callable[[], object]] = {
        "csv": lambda: write_csv(cases, path),
        "parquet": lambda: write_parquet(cases, path),
        "redcap": lambda: write_project(cases, path),
        "cbioportal": lambda: write_study(cases, path, study=study, name=name),
        "fhir": lambda: write_folder(
            path, {f"{c.id}.json": _bundle_text(c, worked.get(c.id), complete) for c in cases}
        ),
        "phenopacket": lambda: write_folder(path, {f"{c.id}.json": _packet_text(c) for c in cases}),
    }
    writers[format]()
    return Exported(len(cases), path, format, not complete)


def _cleared(stored: StoredCase, drop_terms: bool) -> Case:
    if stored.collection.startswith(COLLECTION):
        return stored.case
    return deidentify(stored.case, drop_terms=drop_terms)


def _names() -> dict[str, str]:
    knowledge = load_knowledge()
    return {m.id: m.name for m in knowledge.markers.values()} | {e.id: e.name for e in knowledge.entities.values()}


def _bundle_text(case: Case, worked: WorkedUpCase | None, complete: bool) -> str:
    if worked is None:
        made = case_bundle(case, _names())
    else:
        # verdicts go with the case as cleared, and without the day on which they were made
        versions = worked.versions if complete else worked.versions.model_copy(update={"created": None})
        made = bundle(worked.model_copy(update={"case": case, "versions": versions}))
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _packet_text(case: Case) -> str:
    return to_text(phenopacket(case, created=dt.datetime.now(dt.UTC), names=_names()))
