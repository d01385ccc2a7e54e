"""The parts of a record as the writer gave them: every field that was filled is printed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from kulchitsky.case.record import Case, Imaging, ImagingFinding, Mitoses, Procedure, Size
from kulchitsky.case.vocabulary import MarginStatus, Side
from kulchitsky.report import wording as w
from kulchitsky.report.blocks import Block, Column, Items, Pairs, Runs, Table
from kulchitsky.report.desk import quiet, say, strong

_NO_DETAIL = "No detail recorded."


def text(value: Any) -> str:
    """A value of the record as words."""
    if isinstance(value, Enum):
        return w.words(str(value.value))
    return w.number(value) if isinstance(value, int | float) else w.words(str(value))


def joined(*parts: Any, between: str = " ") -> str:
    """The parts that are filled, as words."""
    return between.join(text(part) for part in parts if part not in (None, ""))


def sided(side: Side | None, place: str) -> str:
    """A place with its side, unless the place names it already."""
    return place if side is None or side.value in place.lower() else joined(side, place)


def place_of(item: ImagingFinding) -> str:
    """Where an imaging finding lies."""
    where = sided(item.side, item.place)
    return f"in {where}" if where else ""


def modality(study: Imaging) -> str:
    """The modality as it is written: CT, not ct."""
    names = {
        "ct": "CT",
        "xray": "X-ray",
        "mri": "MRI",
        "fdg_pet": "FDG PET",
        "sstr_pet": "SSTR PET",
        "mibg_scan": "mIBG scan",
    }
    return names.get(study.modality.value) or w.sentence_case(w.words(study.modality.value))


def presentation(case: Case) -> list[Block]:
    """Patient and presentation."""
    patient, seen, immune = case.patient, case.presentation, case.patient.immune_suppression
    site = seen.site
    pairs = [
        ("Age and sex", joined(_unit(patient.age_years, "years"), patient.sex, between=", ")),
        ("Performance (ECOG)", joined(patient.ecog)),
        ("Immune suppression", joined(immune.state, immune.cause, between=", ") if immune else ""),
        ("Tissue from", joined(seen.setting)),
        ("Site", joined(sided(site.side, site.text), site.topography, between=", ") if site else ""),
        ("Body region", joined(site.region) if site else ""),
        ("Deepest layer", joined(site.layer) if site else ""),
        ("Size", _size(seen.size)),
        ("Duration and growth", joined(_unit(seen.duration_months, "months"), seen.growth, between=", ")),
        ("Consistency", joined(seen.consistency)),
        ("Lesions", joined(seen.lesions)),
        ("Skin over it", joined(seen.skin_over)),
        ("Other tumour", seen.known_other_tumour),
        ("Submitted as", _working(case)),
    ]
    return [_pairs(pairs)]


def _working(case: Case) -> str:
    given = case.working_diagnosis
    return joined(given.text or given.entity) if given else ""


def _size(size: Size | None) -> str:
    if size is None:
        return ""
    dimensions = " × ".join(w.number(d) for d in size.dimensions_cm)
    greatest = f"{_unit(size.greatest_cm, 'cm')} greatest" if size.greatest_cm is not None else ""
    measured = f"{dimensions} cm" if dimensions else ""
    return joined(greatest, measured, f"({w.words(size.method)})" if greatest or measured else "")


def _unit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{w.number(value)}\N{NO-BREAK SPACE}{unit}"


def _pairs(pairs: list[tuple[str, str]]) -> Pairs:
    return Pairs(
        tuple((term, say(w.sentence_case(said)) if said else say(quiet("not stated"))) for term, said in pairs)
    )


def _lines(lines: list[Runs]) -> list[Block]:
    return [Items(tuple(lines))] if lines else []


def _line(title: str, said: str) -> Runs:
    return say(strong(f"{w.sentence_case(title)}. "), w.stop(w.sentence_case(said)) or quiet(_NO_DETAIL))


def laboratory(case: Case) -> list[Block]:
    """Laboratory values with the units as written."""
    rows = tuple(
        (
            say(result.test),
            say(
                f"{'' if result.comparator == '=' else result.comparator}{w.number(result.value)} {result.unit}"
                if result.value is not None
                else quiet("no value")
            ),
            say(w.words(result.specimen)),
            say(joined(result.interpretation) or quiet("not stated")),
        )
        for result in case.laboratory
    )
    columns = (
        Column("Test", share=4),
        Column("Value as written", "right", share=4),
        Column("Specimen", share=3),
        Column("As interpreted", share=3),
    )
    return [Table("Laboratory results", columns, rows, narrow=True)] if rows else []


def imaging(case: Case) -> list[Block]:
    """Imaging, with what was looked for and not found."""
    lines: list[Runs] = []
    for study in case.imaging:
        when = f", {_month(study.months_from_diagnosis)}" if study.months_from_diagnosis is not None else ""
        parts = f" of {w.listed(list(study.body_parts))}" if study.body_parts else ""
        found = "; ".join(f"{joined(i.what, place_of(i))}: {w.STATE_WORDS[i.state]}" for i in study.findings)
        lines.append(_line(f"{modality(study)}{parts}{when}", found))
    return _lines(lines)


def _month(months: float | None) -> str:
    return "" if months is None else "at diagnosis" if months == 0 else f"month {w.number(months)}"


def procedures(case: Case) -> list[Block]:
    """Procedures: what was taken, how far the tumour reached, margins, nodes."""
    return _lines(
        [
            _line(joined(done.kind, sided(done.side, done.site), between=", "), "; ".join(_taken(done)))
            for done in case.procedures
        ]
    )


def _taken(done: Procedure) -> list[str]:
    facts: list[str] = []
    if done.tumour_size_cm is not None:
        facts.append(f"tumour {_unit(done.tumour_size_cm, 'cm')}")
    if done.invades:
        facts.append(f"invades {w.listed([text(layer) for layer in done.invades])}")
    if done.structures_invaded:
        facts.append(f"structures: {w.listed(list(done.structures_invaded))}")
    if done.margins is not MarginStatus.NOT_STATED or done.margin_mm is not None:
        facts.append(joined("margins", done.margins, _unit(done.margin_mm, "mm")))
    if done.nodes_removed is not None:
        positive = "unstated" if done.nodes_positive is None else w.number(done.nodes_positive)
        facts.append(joined(done.node_station, f"nodes: {positive} positive of {done.nodes_removed} removed"))
    elif done.node_station:
        facts.append(f"{done.node_station} nodes")
    if done.in_transit is not None:
        facts.append(f"in-transit metastasis {w.STATE_WORDS[done.in_transit]}")
    if done.not_done:
        facts.append(f"not done: {done.not_done}")
    return facts


def specimens(case: Case) -> list[Block]:
    """Specimens by their ids."""
    return _lines(
        [
            _line(
                s.id,
                joined(s.kind, s.site, s.setting, "after treatment" if s.after_treatment else "", between=", "),
            )
            for s in case.specimens
        ]
    )


def morphology(case: Case) -> list[Block]:
    """What the haematoxylin-eosin sections show; features are listed by state."""
    seen = case.morphology
    pairs = [
        ("Architecture", w.listed([text(item) for item in seen.architecture])),
        ("Cells", joined(seen.cell_size, *seen.cell_shape, between=", ")),
        ("Chromatin", w.listed([text(item) for item in seen.chromatin])),
        ("Nucleoli", joined(seen.nucleoli)),
        ("Necrosis", joined(seen.necrosis)),
        ("Mitoses", _mitoses(seen.mitoses)),
        ("Differentiation, as stated", joined(seen.differentiation)),
    ]
    return [_pairs(pairs)] if any(said for _, said in pairs) else []


def _mitoses(mitoses: Mitoses | None) -> str:
    if mitoses is None:
        return ""
    counted = f"{text(mitoses.count)} in {text(mitoses.area_mm2)} mm²" if mitoses.count is not None else ""
    per = f"{text(mitoses.per_2mm2)} per 2 mm²" if mitoses.per_2mm2 is not None else ""
    return joined(counted, per, f"“{mitoses.words}”, without a number" if mitoses.words else "", between=", ")


def course(case: Case) -> list[Block]:
    """Treatments and follow-up."""
    lines = [
        _line(
            joined(item.kind, _month(item.months_from_diagnosis), between=", "),
            joined(item.detail, item.site, _unit(item.dose_gy, "Gy"), between=", "),
        )
        for item in case.treatments
    ]
    lines += [
        _line(f"Month {w.number(visit.months)}", joined(visit.status, visit.detail, between=", "))
        for visit in case.follow_up
    ]
    return _lines(lines)


PARTS: tuple[tuple[str, Callable[[Case], list[Block]]], ...] = (
    ("Patient and presentation", presentation),
    ("Laboratory", laboratory),
    ("Imaging", imaging),
    ("Procedures", procedures),
    ("Specimens", specimens),
    ("Morphology", morphology),
    ("Treatment and course", course),
)
"""The parts in the order of the report."""
