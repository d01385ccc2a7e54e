"""How well prose becomes a case: precision and recall per field on published vignettes, and how long it takes.

Needs the vignettes in ``../shared``; figures on them are development figures, the vignettes having been read while
the rules were written. ``python benchmarks/narrative.py [-v]``; ``-v`` lists every miss.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import State
from kulchitsky.knowledge.aliases import resolve_marker
from kulchitsky.narrative.names import lexicon_for
from kulchitsky.narrative.read_text import read_text
from provenance import SHARED, write_result

CASES = SHARED / "data" / "cases" / "cases.jsonl"
REPORT = SHARED / "data" / "case-report.txt"
SEX = {"F": "female", "M": "male"}


def truth_of_markers(row: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, result in row["markers"].items():
        if name == "Ki-67":
            continue
        low = result.lower()
        if "equivocal" in low:
            state = "equivocal"
        elif re.search(r"\bnegative\b", low):
            state = "absent"
        else:
            state = "present"
        found[resolve_marker(name) or name] = state
    return found


def markers_of(case: Case) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for m in case.markers:
        if m.state is not State.NOT_TESTED:
            found.setdefault(m.marker, set()).add(m.state.value)
    return found


def score_markers(row: dict[str, Any], case: Case) -> Iterator[tuple[str, str]]:
    """(outcome, detail) of every (marker, state) pair: hit, wrong (read and not so), missed."""
    truth, read = truth_of_markers(row), markers_of(case)
    for marker, states in read.items():
        for state in states:
            outcome = "hit" if truth.get(marker) == state else "wrong"
            yield outcome, f"{marker} read {state}, told {truth.get(marker)}"
    for marker, state in truth.items():
        if state not in read.get(marker, set()):
            yield "missed", f"{marker} told {state}, read {sorted(read.get(marker, set()))}"


def score_value(told: Any, read: Any) -> Iterator[tuple[str, str]]:
    if told is None and read is None:
        return
    if told == read:
        yield "hit", ""
        return
    if read is not None:
        yield "wrong", f"read {read}, told {told}"
    if told is not None:
        yield "missed", f"told {told}, read {read}"


def ki67_of(case: Case) -> float | None:
    figures = [k.percent if k.percent is not None else k.high_percent for k in case.ki67]
    known = [f for f in figures if f is not None]
    return max(known) if known else None


def told_side(row: dict[str, Any]) -> str | None:
    sides = set(re.findall(r"\b(left|right)\b", f"{row['site']}".lower()))
    return sides.pop() if len(sides) == 1 else None


REGIONS = (
    ("scalp", r"scalp"), ("eyelid", r"eyelid"), ("face", r"temple|nasolabial|forehead|cheek"),
    ("groin", r"groin|inguinal"), ("axilla", r"axilla"), ("upper_limb", r"hand|arm"), ("lower_limb", r"thigh|legs?\b"),  # noqa: E501
    ("neck", r"neck|submandibular|thyroid"),
)  # fmt: skip


def told_region(row: dict[str, Any]) -> str | None:
    """Region that the site in words names, where it names one place only; ``None`` otherwise."""
    site = row["site"].lower()
    if re.search(r"[;,(]| and | with |/", re.sub(r", skin|, subcutis|, wound|, epidermis|, soft tissue", "", site)):
        return None
    return next((region for region, words in REGIONS if re.search(words, site)), None)


def told_sizes(row: dict[str, Any]) -> set[float]:
    """Every size in cm that site, setting and morphology mention."""
    text = " ".join([row["site"], row["setting"], *row["morphology"]])
    found: set[float] = set()
    for match in re.finditer(r"([\d.]+(?:\s?(?:x|and|-|to)\s?[\d.]+)*)\s?(cm|mm)\b", text):
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", match.group(1))]
        found |= {round(n / (10 if match.group(2) == "mm" else 1), 2) for n in numbers}
    return found


def score_size(row: dict[str, Any], case: Case) -> Iterator[tuple[str, str]]:
    told = told_sizes(row)
    sizes = [case.presentation.size.greatest_cm] if case.presentation.size else []
    sizes += [p.tumour_size_cm for p in case.procedures]
    read = {s for s in sizes if s is not None}
    if not told and not read:
        return
    if read & told:
        yield "hit", ""
    elif told and read:
        yield "wrong", f"read {sorted(read)}, told {sorted(told)}"
        yield "missed", f"told {sorted(told)}"
    elif told:
        yield "missed", f"told {sorted(told)}"
    # a size that the abstract of facts leaves out is no error


FIELDS: dict[str, Callable[[dict[str, Any], Case], Iterator[tuple[str, str]]]] = {
    "markers (id, state)": score_markers,
    "Ki-67": lambda row, case: score_value(row["ki67_percent"], ki67_of(case)),
    "age": lambda row, case: score_value(row["age"], case.patient.age_years),
    "sex": lambda row, case: score_value(
        SEX.get(row["sex"]), case.patient.sex.value if case.patient.sex.value != "unknown" else None
    ),
    "side": lambda row, case: (
        score_value(told_side(row), case.presentation.site.side.value if case.presentation.site.side else None)
        if told_side(row) and case.presentation.site
        else iter(())
    ),
    "region": lambda row, case: (
        score_value(
            told_region(row),
            case.presentation.site.region.value if case.presentation.site and case.presentation.site.region else None,
        )
        if told_region(row)
        else iter(())
    ),
    "size": score_size,
}

FACTS_OF_THE_REPORT: dict[str, Callable[[Case], bool]] = {
    "77 years": lambda c: c.patient.age_years == 77,
    "woman": lambda c: c.patient.sex.value == "female",
    "three months": lambda c: c.presentation.duration_months == 3,
    "growing moderately": lambda c: str(c.presentation.growth) == "moderate",
    "left upper thigh": lambda c: bool(c.presentation.site and "left upper thigh" in c.presentation.site.text),
    "subcutaneous": lambda c: bool(c.presentation.site and str(c.presentation.site.layer) == "subcutis"),
    "soft tissue": lambda c: str(c.presentation.setting) == "soft_tissue",
    "5-6 cm": lambda c: bool(c.presentation.size and c.presentation.size.dimensions_cm == (6, 5)),
    "hard": lambda c: c.presentation.consistency == "hard",
    "skin normal": lambda c: c.presentation.skin_over == "normal",
    "palpable groin nodes": lambda c: any(
        n.station == "groin" and n.state == "present" for n in c.presentation.nodes
    ),
    "no flushing, wheeze, diarrhoea": lambda c: (
        {"flushing", "wheeze", "diarrhoea"} <= {s.name for s in c.presentation.symptoms if s.state == "absent"}
    ),
    "comorbidities": lambda c: (
        {"hypertension", "ischaemic stroke", "ischaemic heart disease", "heart failure", "emphysema"}
        == {x.name for x in c.comorbidities}
    ),
    "NYHA III": lambda c: any("III" in x.detail for x in c.comorbidities),
    "laboratory": lambda c: (
        {(x.test, x.value, x.unit) for x in c.laboratory if x.value is not None}
        == {
            ("haemoglobin", 12.45, "g/dL"),
            ("white blood cells", 10.21, "10*3/uL"),
            ("CEA", 0.777, "ng/dL"),
            ("CA 125", 10.38, "U/mL"),
            ("CA 19-9", 12.83, "U/mL"),
        }
    ),
    "5-HIAA normal": lambda c: any(x.test == "5-HIAA" and str(x.interpretation) == "normal" for x in c.laboratory),
    "CT: groin and pelvic nodes": lambda c: (
        {"groin", "pelvic sidewall"}
        <= {f.place for i in c.imaging if i.modality == "ct" for f in i.findings if f.state == "present"}
    ),
    "CT: lungs and liver clear": lambda c: (
        {"lungs", "liver"}
        <= {f.place for i in c.imaging if i.modality == "ct" for f in i.findings if f.state == "absent"}
    ),
    "6 cm at surgery": lambda c: any(p.tumour_size_cm == 6 for p in c.procedures),
    "three muscles": lambda c: any(
        {"rectus femoris", "sartorius", "vastus medialis"} <= set(p.structures_invaded) for p in c.procedures
    ),
    "adherent to skin": lambda c: any("adherent to skin" in p.structures_invaded for p in c.procedures),
    "2 of 7 nodes": lambda c: any((p.nodes_removed, p.nodes_positive) == (7, 2) for p in c.procedures),
    "pelvic nodes left": lambda c: any(p.not_done for p in c.procedures),
    "small monomorphic cells": lambda c: (
        str(c.morphology.cell_size) == "small"
        and any(f.feature == "monomorphic_cells" for f in c.morphology.features)
    ),
    "insular and trabecular": lambda c: {"insular", "trabecular"} <= {str(a) for a in c.morphology.architecture},
    "salt and pepper": lambda c: "salt_and_pepper" in {str(x) for x in c.morphology.chromatin},
    "large necrosis": lambda c: str(c.morphology.necrosis) == "extensive",
    "rare atypical mitoses": lambda c: any(f.feature == "atypical_mitoses" for f in c.morphology.features),
    "chromogranin granular cytoplasmic": lambda c: any(
        m.marker == "chromogranin_a"
        and (str(m.state), str(m.pattern), str(m.compartment)) == ("present", "granular", "cytoplasmic")
        for m in c.markers
    ),
    "CD56 membranous": lambda c: any(
        m.marker == "cd56" and (str(m.state), str(m.compartment)) == ("present", "membranous") for m in c.markers
    ),
    "NSE positive": lambda c: any(m.marker == "nse" and m.state == "present" for m in c.markers),
    "AE1/AE3 perinuclear dots": lambda c: any(
        m.marker == "pan_cytokeratin" and str(m.pattern) == "perinuclear_dot" for m in c.markers
    ),
    "no other stain": lambda c: len(c.markers) == 4,
    "Ki-67 up to 65 %": lambda c: [(k.percent, k.bound) for k in c.ki67] == [(65, "at_most")],
    "radiotherapy": lambda c: any(t.kind == "radiotherapy" for t in c.treatments),
    "clear at six months": lambda c: any(
        f.months == 6 and str(f.status) == "no_evidence_of_disease" for f in c.follow_up
    ),
    "claim: mIBG 60 %": lambda c: any(x.subject == "mibg_scan" and x.percent == 60 for x in c.claims),
    "claim: octreotide 72-87 %": lambda c: any((x.low_percent, x.high_percent) == (72, 87) for x in c.claims),
    "claim: survival 70 % at 5 years": lambda c: any(x.percent == 70 and x.years == 5 for x in c.claims),
    "claim: below 50 %": lambda c: any(x.high_percent == 50 and x.kind == "prognosis" for x in c.claims),
}


def spans_hold(text: str) -> tuple[int, int]:
    """Facts whose span gives their text, of all facts."""
    facts = read_text(text).facts
    return sum(text[f.start : f.end] == f.text and f.end > f.start for f in facts), len(facts)


def timings(report: str) -> dict[str, float]:
    pages = (report * 8)[:60_000]  # 20 pages of some 3,000 characters
    started = time.process_time()
    read_text(pages)
    return {"characters": len(pages), "seconds_20_pages": round(time.process_time() - started, 3)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="list every miss")
    verbose = parser.parse_args().verbose
    console = Console()
    if not CASES.exists():
        console.print(f"the vignettes are not here ({CASES.name}); nothing is measured")
        return 0
    started = time.process_time()
    lexicon_for()
    load = time.process_time() - started
    rows = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    figures: dict[str, Any] = {"vignettes": len(rows)}
    table = Table("text", "field", "hit", "wrong", "missed", "precision", "recall")
    for key in ("vignette", "vignette_plain"):
        cases = [(row, read_text(row[key]).case) for row in rows]
        for field, score in FIELDS.items():
            outcomes: Counter[str] = Counter()
            for row, case in cases:
                for outcome, detail in score(row, case):
                    outcomes[outcome] += 1
                    if verbose and outcome != "hit":
                        console.print(f"{key} {row['id']} {field}: {outcome} {detail}")
            hit, wrong, missed = (outcomes[k] for k in ("hit", "wrong", "missed"))
            precision, recall = hit / max(hit + wrong, 1), hit / max(hit + missed, 1)
            figures.setdefault(key, {})[field] = {
                "hit": hit, "wrong": wrong, "missed": missed,
                "precision": round(precision, 4), "recall": round(recall, 4),
            }  # fmt: skip
            table.add_row(key, field, str(hit), str(wrong), str(missed), f"{precision:.3f}", f"{recall:.3f}")
    console.print(table)
    report = REPORT.read_text(encoding="utf-8")
    case = read_text(report).case
    found = {name: check(case) for name, check in FACTS_OF_THE_REPORT.items()}
    good, total = spans_hold(report)
    figures["report"] = {
        "facts_found": sum(found.values()),
        "facts_asked": len(found),
        "missed": [k for k, v in found.items() if not v],
    }
    figures["report"]["spans"] = {"exact": good, "all": total}
    figures["time"] = {"load_seconds": round(load, 3), **timings(report)}
    console.print(
        f"report: {sum(found.values())} of {len(found)} facts; missed {figures['report']['missed']}; spans {good}/{total}"  # noqa: E501
    )
    console.print(figures["time"])
    console.print(f"written to {write_result('narrative', figures, data=[CASES, REPORT])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
