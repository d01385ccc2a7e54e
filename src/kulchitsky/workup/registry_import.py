"""Import cases from any of the formats that the registry exports, from case files, or from a shipped series."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case
from kulchitsky.exchange.cbioportal import read_study
from kulchitsky.exchange.fhir import read_bundle
from kulchitsky.exchange.phenopacket import read_phenopacket
from kulchitsky.exchange.redcap import DATA, read_project
from kulchitsky.exchange.table import read_csv, read_parquet
from kulchitsky.exchange.whole_file import read_text
from kulchitsky.knowledge.aliases import resolve_entity, resolve_marker
from kulchitsky.registry.store import Registry
from kulchitsky.workup.read_case import read_case
from kulchitsky.workup.registry_add import Tell, add_all, under_pseudonyms
from kulchitsky.workup.registry_person import registry_person
from kulchitsky.workup.registry_series import COLLECTION, series_cases


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in: how many cases, read as what, into which collection."""

    cases: int
    format: str
    collection: str
    registry: str


def registry_import(
    path: str | os.PathLike[str] | None = None,
    *,
    series: str | None = None,
    registry: str | None = None,
    who: str | None = None,
    collection: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
    keep_id: bool = False,
    tell: Tell | None = None,
) -> Imported:
    """Import a file or folder, or a shipped ``series``: all of its cases or none.

    Read: CSV and Parquet (ours or with the same columns), REDCap data, cBioPortal folders, FHIR bundles and
    phenopackets that kulchitsky exported, case files, and folders of those. Ids become pseudonyms unless ``keep_id``;
    ids that are pseudonyms already, and those of a series, stay. ``tell`` hears of the storing: what, done, how many.
    """
    if (path is None) == (series is None):
        raise RefusedCase("one thing at a time", source="registry import", remedy="give a path, or --series NAME")
    if series is not None:
        cases, kind = series_cases(series), "series"
        collection, keep_id = collection or f"{COLLECTION}{series}", True
    else:
        cases, kind = read_cases(Path(str(path)))
    collection = collection or "local"
    if not cases:
        raise RefusedCase("there is no case in it", source=str(path), remedy="give a file with at least one case")
    fresh = [case for case in cases if keep_id or not _is_pseudonym(case.id)]
    renamed = dict(
        zip((c.id for c in fresh), under_pseudonyms(fresh, key_file=key_file, keep_id=keep_id), strict=True)
    )
    stored = [renamed.get(case.id, case) for case in cases]
    with Registry.open(registry, who=registry_person(who)) as store:
        add_all(store, stored, collection=collection, action="import", note=f"from {kind}", tell=tell)
        return Imported(len(stored), kind, collection, store.name)


def read_cases(path: Path) -> tuple[list[Case], str]:
    """Return the cases of a file or folder and what it was read as."""
    if path.is_dir():
        return _read_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return read_parquet(path, marker=resolve_marker, entity=resolve_entity), "parquet"
    if suffix == ".csv":
        head = read_text(path).lstrip("\ufeff").split("\n", 1)[0]
        if "record_id" in [name.strip('" \r') for name in head.split(",")]:
            return read_project(path, marker=resolve_marker, entity=resolve_entity), "redcap"
        return read_csv(path, marker=resolve_marker, entity=resolve_entity), "csv"
    if suffix == ".json":
        return _read_json(path)
    return [read_case(path)], "case file"


def _read_json(path: Path) -> tuple[list[Case], str]:
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise RefusedCase(f"not JSON ({error})", source=str(path), remedy="give valid JSON") from None
    if isinstance(content, dict) and "resourceType" in content:
        return [read_bundle(content, source=str(path))], "fhir"
    if isinstance(content, dict) and {"metaData", "meta_data"} & content.keys():
        return [read_phenopacket(content, source=str(path))], "phenopacket"
    return [read_case(path)], "case file"


def _read_folder(path: Path) -> tuple[list[Case], str]:
    if (path / "meta_study.txt").is_file():
        return read_study(path), "cbioportal"
    if (path / DATA).is_file():
        return read_project(path, marker=resolve_marker, entity=resolve_entity), "redcap"
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in (".json", ".yaml", ".yml"))
    read = [read_cases(file) for file in files]
    kinds = {kind for _, kind in read}
    return [case for cases, _ in read for case in cases], kinds.pop() if len(kinds) == 1 else "folder"


def _is_pseudonym(case_id: str) -> bool:
    return case_id.startswith("K-") and len(case_id) == 14
