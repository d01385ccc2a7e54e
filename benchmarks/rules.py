"""Rules: time per case, agreement with the registry's staging algorithms, and worked examples.

Run ``python benchmarks/rules.py``: prints three tables and writes ``benchmarks/results/rules-<date>.json``. The
registry (SEER EOD 3.3) lies beside the repository; without it that table is left out and the output says so. Times
are processor time, which a busy machine lengthens less than the wall clock.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import time
import zipfile
from importlib import resources
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import Diagnosis, Differential
from kulchitsky.knowledge.rules import Rules, load_rules
from kulchitsky.reasoning.grade import grade
from kulchitsky.reasoning.plan import plan
from kulchitsky.reasoning.route import find_route
from kulchitsky.reasoning.stage import stage
from kulchitsky.workup.read_case import read_case
from provenance import SHARED, write_result

REGISTRY = SHARED / "knowledge" / "registry" / "eod_public-3.3.zip"
THIGH_MASS = Path(__file__).resolve().parents[1] / "examples" / "thigh-mass"
YEARS = (2019, 2023, 2024, 2026)
CODES = [
    "8013", "8041", "8042", "8043", "8044", "8045", "8150", "8151", "8152", "8153", "8154", "8155", "8156", "8158",
    "8190", "8240", "8241", "8242", "8243", "8244", "8245", "8246", "8247", "8249", "8272", "8574", "8683",
]  # fmt: skip
REPEATS = 50


def cases() -> dict[str, Case]:
    """A case of each kind that the rules work on."""
    found = {}
    for path in sorted(THIGH_MASS.glob("*.yaml")):
        found[f"thigh mass ({path.name})"] = read_case(path)
    wall = ["mucosa", "submucosa", "muscularis_propria"]
    counted = {"mitoses": {"count": 16, "area_mm2": 10}}
    found["ileal NET, counted"] = Case.model_validate(
        {
            "presentation": {"setting": "small_bowel"},
            "morphology": counted,
            "ki67": [{"counted": 600, "positive": 20}],
            "procedures": [
                {
                    "kind": "resection",
                    "tumour_size_cm": 1.8,
                    "invades": wall,
                    "nodes_removed": 14,
                    "nodes_positive": 3,
                }
            ],
            "working_diagnosis": {"entity": "net_midgut"},
        }
    )
    found["lung carcinoid"] = Case.model_validate(
        {
            "presentation": {"setting": "lung", "site": {"side": "left"}},
            "morphology": {"mitoses": {"count": 3, "area_mm2": 10}, "necrosis": "absent"},
            "procedures": [{"kind": "resection", "tumour_size_cm": 2.4, "nodes_removed": 6, "nodes_positive": 0}],
            "working_diagnosis": {"entity": "net_lung"},
        }
    )
    return found


def time_cases(rules: Rules) -> list[dict[str, Any]]:
    """Median and 95th percentile of grade, stage and plan together, in milliseconds, after loading."""
    rows = []
    for name, case in cases().items():
        entity = case.working_diagnosis.entity if case.working_diagnosis is not None else None
        entities = [entity or "merkel_cell_carcinoma", "merkel_cell_carcinoma", "nec_extrapulmonary"]
        weighed = Differential(
            edition="benchmark",
            diagnoses=tuple(
                Diagnosis(entity=e, name=e, prior=0.2, posterior=0.3, interval_95=(0, 1))
                for e in dict.fromkeys(entities)
            ),
            none_of_these=0.1,
        )
        times = []
        for _ in range(REPEATS + 1):
            start = time.process_time()
            graded = grade(case, rules, diagnoses=entities)
            staged = stage(case, rules, diagnoses=entities)
            plan(case, rules, differential=weighed, grade=graded, stage=staged, today=dt.date(2026, 1, 1))
            times.append(1000 * (time.process_time() - start))
        warm = sorted(times[1:])
        rows.append(
            {
                "case": name,
                "first_ms": round(times[0], 1),
                "median_ms": round(statistics.median(warm), 2),
                "p95_ms": round(warm[int(0.95 * len(warm))], 2),
            }
        )
    return rows


def agreement(rules: Rules) -> list[dict[str, Any]] | None:
    """Routes compared with the registry's schema selection, by family."""
    if not REGISTRY.is_file():
        return None
    rows = _selection_rows()
    tally: dict[str, list[int]] = {}
    differences = []
    for year in YEARS:
        for site in _sites(rules):
            for code in CODES:
                theirs = {n for n, s, h, y in rows if _in(s, site) and _in(h, code) and _in(y, str(year))}
                if not theirs:
                    continue
                row = find_route(f"{site[:3]}.{site[3]}", code, rules, year=year)
                ours = set(row.registry_schemas) if row is not None else set()
                counts = tally.setdefault(row.family if row is not None else "no route", [0, 0])
                counts[0] += 1
                if theirs & ours:
                    counts[1] += 1
                else:
                    differences.append(f"{year} {site} {code}")
    table = [{"family": name, "compared": n, "agree": k} for name, (n, k) in sorted(tally.items())]
    total = {"family": "all", "compared": sum(r["compared"] for r in table), "agree": sum(r["agree"] for r in table)}
    return [*table, {**total, "differences": differences}]


def _selection_rows() -> list[tuple[str, Any, Any, Any]]:
    found = []
    with zipfile.ZipFile(REGISTRY) as archive:
        for name in archive.namelist():
            if not (name.startswith("schemas/") and name.endswith(".json")):
                continue
            schema = json.loads(archive.read(name))
            table = json.loads(archive.read(f"tables/{schema['schema_selection_table']}.json"))
            keys = [column["key"] for column in table["definition"]]
            for raw in table["rows"]:
                row = dict(zip(keys, raw, strict=True))
                found.append((schema["id"], *(_ranges(row.get(key, "*")) for key in ("site", "hist", "year_dx"))))
    return found


def _ranges(text: str) -> list[tuple[str, str]] | None:
    if text.strip() == "*":
        return None
    pairs = [part.strip().partition("-") for part in text.split(",") if part.strip()]
    return [(low.strip(), (high or low).strip()) for low, _, high in pairs]


def _in(ranges: list[tuple[str, str]] | None, value: str) -> bool:
    return ranges is None or any(low <= value <= high for low, high in ranges)


def _sites(rules: Rules) -> list[str]:
    sites = set()
    for row in rules.staging.routes:
        for item in row.sites:
            low, _, high = item.partition("-")
            sites |= {f"C{number:03d}" for number in range(int(low[1:]), int((high or low)[1:]) + 1)}
    return sorted(sites)


def contents(rules: Rules) -> dict[str, int]:
    """How much the rule base holds."""
    plan_rules = rules.plan
    return {
        "facts": len(rules.facts),
        "grading systems": len(rules.grading.systems),
        "staging schemes": len(rules.staging.schemes),
        "schemes without sourced stage groups": sum(not s.groups for s in rules.staging.schemes),
        "routes": len(rules.staging.routes),
        "prognosis figures": len(plan_rules.prognosis),
        "test performances": len(plan_rules.performance),
        "options": len(plan_rules.options),
        "claims checked": len(plan_rules.claims),
        "references": len(rules.references),
    }


def _print(title: str, rows: list[dict[str, Any]]) -> None:
    table = Table(title=title, title_justify="left")
    columns = [name for name in rows[0] if name != "differences"]
    for name in columns:
        table.add_column(name, justify="left" if name in ("case", "family", "part") else "right")
    for row in rows:
        table.add_row(*(str(row.get(name, "")) for name in columns))
    Console().print(table)


def main() -> None:
    """Measure, print, write."""
    start = time.process_time()
    rules = load_rules()
    loading = round(1000 * (time.process_time() - start), 1)
    timed = time_cases(rules)
    agreed = agreement(rules)
    held = contents(rules)
    _print("The rule base", [{"part": name, "rows": count} for name, count in held.items()])
    _print(f"Grade, stage and plan of a case (loading {loading} ms, {REPEATS} repeats)", timed)
    if agreed is None:
        print("registry table left out: its algorithms are not beside the repository")
    else:
        _print(f"Routes against the registry, {len(YEARS)} years, {len(CODES)} neuroendocrine codes", agreed)
    folder = Path(str(resources.files("kulchitsky.knowledge"))) / "data" / "rules"
    figures = {"loading_ms": loading, "contents": held, "time": timed, "registry": agreed}
    path = write_result("rules", figures, data=sorted(folder.glob("*.yaml")))
    print(f"written: {path}")


if __name__ == "__main__":
    main()
