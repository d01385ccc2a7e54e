"""A study folder for cBioPortal: patients with outcome, samples with findings, a case list, and the cases whole.

The folder holds the clinical files of cBioPortal's format; ``kulchitsky/cases.jsonl``, which the portal does not
read, carries the complete cases, one JSON a line, so that the folder can be read back without loss.

Source: cBioPortal documentation, File Formats (clinical data, cancer type, case lists).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.fields import NUMERIC, Value, fields_of, survival_of
from kulchitsky.case.record import Case
from kulchitsky.exchange.sealed import case_json, checksum, parse_case
from kulchitsky.exchange.whole_file import read_text, write_folder

COMPLETE = "kulchitsky/cases.jsonl"
_SEAL = "kulchitsky/sha256.txt"
_TYPE = "nen"
_OUTCOMES = (
    ("OS", "overall", "0:LIVING", "1:DECEASED", "Overall Survival"),
    ("DSS", "disease_specific", "0:ALIVE OR DEAD TUMOR FREE", "1:DEAD WITH TUMOR", "Disease-specific Survival"),
    ("DFS", "disease_free", "0:DiseaseFree", "1:Recurred/Progressed", "Disease Free"),
)
_SEX = {"female": "Female", "male": "Male"}
Column = tuple[str, str, str, str, list[str]]
"""Attribute id, display name, description, datatype (STRING or NUMBER), one value a row."""


def write_study(cases: Iterable[Case], folder: Path, *, study: str, name: str, description: str = "") -> int:
    """Write a study folder (which must not exist); returns how many cases. ``study`` is the stable study id."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,60}", study):
        raise RefusedCase(
            f"'{study}' is no study id", source=str(folder), remedy="use small letters, digits and underscores"
        )
    listed = list(cases)
    files = _files(listed, study, name, description or "Exported from a kulchitsky registry.")
    files[_SEAL] = checksum(sorted(files.items())) + "\n"
    write_folder(folder, files)
    return len(listed)


def read_study(folder: Path) -> list[Case]:
    """Return the cases of a folder that :func:`write_study` wrote; one edited since then is refused."""
    if not (folder / COMPLETE).is_file():
        raise RefusedCase(
            "the study carries no complete cases", source=str(folder), place=COMPLETE,
            remedy="import folders that kulchitsky exported",
        )  # fmt: skip
    files = {
        path.relative_to(folder).as_posix(): read_text(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix() != _SEAL
    }
    if not (folder / _SEAL).is_file() or read_text(folder / _SEAL).strip() != checksum(sorted(files.items())):
        raise RefusedCase(
            "files were changed after the export and may contradict the complete cases",
            source=str(folder),
            place=_SEAL,
            remedy="import the folder as exported and make the change in the registry",
        )
    lines = files[COMPLETE].split("\n")[:-1]  # not splitlines: U+2028 inside a note is no line end
    return [parse_case(line, source=str(folder / COMPLETE), place=f"line {n}") for n, line in enumerate(lines, 1)]


def _files(cases: Sequence[Case], study: str, name: str, description: str) -> dict[str, str]:
    views = [fields_of(case) for case in cases]
    identifiers = [case.id for case in cases]
    meta = {"cancer_study_identifier": study}
    clinical = meta | {"genetic_alteration_type": "CLINICAL"}
    return {
        "meta_study.txt": _meta(
            meta | {"type_of_cancer": _TYPE, "name": name, "description": description, "add_global_case_list": "true"}
        ),
        "meta_cancer_type.txt": _meta(
            {"genetic_alteration_type": "CANCER_TYPE", "datatype": "CANCER_TYPE", "data_filename": "cancer_type.txt"}
        ),
        "cancer_type.txt": f"{_TYPE}\tNeuroendocrine Neoplasm\tTeal\ttissue\n",
        "meta_clinical_patient.txt": _meta(
            clinical | {"datatype": "PATIENT_ATTRIBUTES", "data_filename": "data_clinical_patient.txt"}
        ),
        "data_clinical_patient.txt": _table(_patient_columns(cases, views)),
        "meta_clinical_sample.txt": _meta(
            clinical | {"datatype": "SAMPLE_ATTRIBUTES", "data_filename": "data_clinical_sample.txt"}
        ),
        "data_clinical_sample.txt": _table(_sample_columns(identifiers, views)),
        "case_lists/cases_all.txt": _meta(
            meta
            | {
                "stable_id": f"{study}_all",
                "case_list_name": "All samples",
                "case_list_description": f"All samples ({len(cases)})",
                "case_list_category": "all_cases_in_study",
                "case_list_ids": "\t".join(f"{i}-S1" for i in identifiers),
            }
        ),
        COMPLETE: "".join(case_json(case) + "\n" for case in cases),
    }


def _patient_columns(cases: Sequence[Case], views: Sequence[dict[str, Value]]) -> list[Column]:
    columns: list[Column] = [
        ("PATIENT_ID", "Patient Identifier", "Pseudonym of the patient", "STRING", [case.id for case in cases]),
        ("AGE", "Age", "Age at diagnosis in years", "NUMBER", [_cell(v.get("age_years")) for v in views]),
        ("SEX", "Sex", "Sex", "STRING", [_SEX.get(str(v.get("sex")), "") for v in views]),
    ]
    for prefix, endpoint, alive, dead, label in _OUTCOMES:
        outcomes = [survival_of(case, endpoint) for case in cases]
        status = ["" if o is None else dead if o[1] else alive for o in outcomes]
        months = ["" if o is None else _cell(o[0]) for o in outcomes]
        columns.append((f"{prefix}_STATUS", f"{label} Status", f"{label} status", "STRING", status))
        columns.append((f"{prefix}_MONTHS", f"{label} (Months)", f"{label} in months", "NUMBER", months))
    return columns


def _sample_columns(identifiers: Sequence[str], views: Sequence[dict[str, Value]]) -> list[Column]:
    columns: list[Column] = [
        ("PATIENT_ID", "Patient Identifier", "Pseudonym of the patient", "STRING", list(identifiers)),
        ("SAMPLE_ID", "Sample Identifier", "Tumour of the patient", "STRING", [f"{i}-S1" for i in identifiers]),
        ("CANCER_TYPE", "Cancer Type", "Cancer type", "STRING", ["Neuroendocrine Neoplasm"] * len(views)),
        ("CANCER_TYPE_DETAILED", "Cancer Type Detailed", "Working diagnosis", "STRING",
         [_cell(v.get("diagnosis")) for v in views]),
    ]  # fmt: skip
    used = {name for view in views for name in view}
    for name in sorted(used - {"age_years", "sex", "diagnosis", "status", "follow_up_months"}):
        label = name.replace(".", " ").replace("_", " ")
        kind = "NUMBER" if name in NUMERIC else "STRING"
        values = [_cell(view.get(name)) for view in views]
        columns.append((re.sub(r"[^A-Z0-9]+", "_", name.upper()), label, label, kind, values))
    return columns


def _cell(value: Value | None) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return "; ".join(value)
    return f"{value:.10g}" if isinstance(value, float | int) else value


def _table(columns: Sequence[Column]) -> str:
    ids, names, descriptions, kinds, values = zip(*columns, strict=True)
    head = [names, descriptions, kinds, ["1"] * len(ids)]
    lines = ["#" + "\t".join(row) for row in head]
    lines.append("\t".join(ids))
    lines += ["\t".join(row) for row in zip(*values, strict=True)]
    return "\n".join(lines) + "\n"


def _meta(entries: dict[str, str]) -> str:
    return "".join(f"{key}: {' '.join(value.split()) if key != 'case_list_ids' else value}\n"
                   for key, value in entries.items())  # fmt: skip
