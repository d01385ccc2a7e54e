"""Reports in prose, from reading to ranking: ``tests/reasoning/prose_vignettes.yaml`` and ``pathology_reports.yaml``.

    python benchmarks/prose_vignettes.py            scores and recall of facts, by batch; writes JSON
    python benchmarks/prose_vignettes.py --cases    also a line for each report not ranked first or not read in full
    python benchmarks/prose_vignettes.py --batch 5  this batch alone; writes nothing

The reports were composed from general knowledge and frozen before they were first run; since then their failures have
been mended, so these figures flatter. The figures of the first runs stand in docs/differential.md.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rich.console import Console
from rich.table import Table

from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import Pattern, State
from kulchitsky.knowledge.base import KnowledgeBase, load_knowledge
from kulchitsky.narrative.read_text import read_text
from kulchitsky.numerics.calibration import expected_calibration_error, log_score
from kulchitsky.reasoning.findings import ki67_percent, mitoses_per_2mm2
from kulchitsky.reasoning.place import foreign_specimens
from kulchitsky.reasoning.posterior import posterior
from provenance import ROOT, write_result

VIGNETTES = ROOT / "tests" / "reasoning" / "prose_vignettes.yaml"
REPORTS = ROOT / "tests" / "reasoning" / "pathology_reports.yaml"
_LOSS = (Pattern.LOST, Pattern.NULL)


@dataclasses.dataclass(frozen=True)
class Row:
    """One report: rank of a right entity, its posterior, the leader's, facts read and missed."""

    id: str
    batch: int
    rank: int
    right: float
    leading: float
    facts: int
    missed: tuple[str, ...]
    top: tuple[tuple[str, float], ...]


def load_vignettes(path: Path = VIGNETTES) -> list[dict[str, Any]]:
    """Every report, in file order."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8")))


def missed_facts(key: dict[str, Any], case: Case) -> Iterator[tuple[str, bool]]:
    """Each fact that a reader takes from the report, and whether the case holds it."""
    if "age" in key:
        yield f"age {key['age']}", case.patient.age_years == key["age"]
    if "sex" in key:
        yield f"sex {key['sex']}", case.patient.sex.value == key["sex"]
    if "setting" in key:
        setting = case.presentation.setting
        yield f"setting {key['setting']}", setting is not None and setting.value == key["setting"]
    if "ki67" in key:
        read = [p for p in map(ki67_percent, case.ki67) if p is not None]
        yield f"Ki-67 {key['ki67']}", bool(read) and abs(max(read) - key["ki67"]) <= max(1.5, 0.12 * key["ki67"])
    yield from _measures(key, case)
    others = foreign_specimens(case)
    own = [m for m in case.markers if m.specimen not in others]
    for state, names in ((State.PRESENT, key.get("positive", ())), (State.ABSENT, key.get("negative", ()))):
        for name in names:
            told = [m for m in own if m.marker == name]
            lost = state is State.ABSENT and any(m.pattern in _LOSS for m in told)
            yield f"{name} {state.value}", lost or any(m.state is state for m in told)
    for name in key.get("foreign", ()):
        yield f"{name} not the tumour's", not any(m.marker == name and m.state is State.PRESENT for m in own)


def _measures(key: dict[str, Any], case: Case) -> Iterator[tuple[str, bool]]:
    """Size, mitoses, the words of the site, and what is known of tumour elsewhere."""
    seen = case.presentation
    if "size" in key:
        sizes = [seen.size.greatest_cm if seen.size else None, *(p.tumour_size_cm for p in case.procedures)]
        known = [s for s in sizes if s is not None]
        yield f"size {key['size']}", bool(known) and abs(known[0] - key["size"]) < 0.051
    if "mitoses" in key:
        rate = mitoses_per_2mm2(case.morphology)
        yield f"mitoses {key['mitoses']}", rate is not None and abs(rate - key["mitoses"]) <= 0.02 * key["mitoses"]
    if "site" in key:
        yield f"site {key['site']}", seen.site is not None and key["site"] in seen.site.text
    if "elsewhere" in key:
        places = (f"{f.place} {f.what}" for scan in case.imaging for f in scan.findings)
        told = " ".join((seen.known_other_tumour, *places)).lower()
        yield f"elsewhere {key['elsewhere']}", key["elsewhere"] in told


def run(vignettes: Sequence[dict[str, Any]], knowledge: KnowledgeBase) -> list[Row]:
    """Read and rank every report."""
    rows = []
    for v in vignettes:
        case = read_text(v["text"], source=v["id"], knowledge=knowledge).case
        post = posterior(case, knowledge)
        order = [int(i) for i in np.argsort(-post.entities, kind="stable")]
        names = [post.table.entities[i] for i in order]
        facts = list(missed_facts(v["key"], case))
        rows.append(
            Row(
                id=v["id"],
                batch=v["batch"],
                rank=1 + min(names.index(e) for e in v["entities"]),
                right=float(sum(p for i, p in enumerate(post.entities) if post.table.entities[i] in v["entities"])),
                leading=float(post.entities[order[0]]),
                facts=len(facts),
                missed=tuple(name for name, held in facts if not held),
                top=tuple((post.table.entities[i], float(post.entities[i])) for i in order[:3]),
            )
        )
    return rows


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """Scores over a set of reports."""
    first = [r.rank == 1 for r in rows]
    facts = sum(r.facts for r in rows)
    return {
        "n": len(rows),
        "top1": float(np.mean(first)),
        "top3": float(np.mean([r.rank <= 3 for r in rows])),
        "log_score": log_score([r.right for r in rows]),
        "calibration_error": expected_calibration_error([r.leading for r in rows], first),
        "mean_leading": float(np.mean([r.leading for r in rows])),
        "facts": facts,
        "fact_recall": 1 - sum(len(r.missed) for r in rows) / facts,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", action="store_true", help="print what was missed")
    parser.add_argument("--batch", type=int, help="this batch alone; writes nothing")
    options = parser.parse_args()
    vignettes = [v for path in (VIGNETTES, REPORTS) for v in load_vignettes(path)]
    rows = run([v for v in vignettes if options.batch in (None, v["batch"])], load_knowledge())
    scored = {"all": figures(rows)}
    scored |= {f"batch {b}": figures([r for r in rows if r.batch == b]) for b in sorted({r.batch for r in rows})}
    table = Table(title="reports in prose", title_justify="left")
    for name in ("", "reports", "top-1", "top-3", "log score", "calibration error", "facts", "recall"):
        table.add_column(name, justify="right" if name else "left")
    for name, f in scored.items():
        shown = (f"{f[k]:.3f}" for k in ("top1", "top3", "log_score", "calibration_error"))
        table.add_row(name, f"{f['n']:.0f}", *shown, f"{f['facts']:.0f}", f"{f['fact_recall']:.3f}")
    Console(width=110).print(table)
    if options.cases:
        for r in rows:
            if r.rank > 1 or r.missed:
                print(r.id, f"rank {r.rank}, {r.right:.2f}", r.missed, [(e, round(p, 2)) for e, p in r.top])
    if options.batch is None:
        print(write_result("prose_vignettes", {"scores": scored}, data=[VIGNETTES, REPORTS]))


if __name__ == "__main__":
    main()
