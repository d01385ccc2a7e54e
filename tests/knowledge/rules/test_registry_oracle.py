"""Routing and 7th edition stage groups against the registry's machine-readable staging algorithms.

The algorithms (SEER EOD 3.3 and TNM 2.1) lie beside the repository and are not part of it; the tests are skipped
where they are absent.
"""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from kulchitsky.knowledge.rules import load_rules
from kulchitsky.knowledge.rules_check import matches_group
from kulchitsky.reasoning.route import find_route

RULES = load_rules()
REGISTRY = Path(__file__).resolve().parents[4] / "shared" / "knowledge" / "registry"
EOD, TNM7 = REGISTRY / "eod_public-3.3.zip", REGISTRY / "tnm-2.1.zip"
pytestmark = pytest.mark.skipif(
    not (EOD.is_file() and TNM7.is_file()), reason="the registry's algorithms are not beside the repository"
)

NEUROENDOCRINE = [
    "8013", "8041", "8042", "8043", "8044", "8045", "8150", "8151", "8152", "8153", "8154", "8155", "8156", "8158",
    "8190", "8240", "8241", "8242", "8243", "8244", "8245", "8246", "8247", "8249", "8272", "8574", "8683",
]  # fmt: skip
YEARS = (2019, 2023, 2024, 2026)
KNOWN_DIFFERENCES: dict[tuple[str, str], str] = {}
"""(topography, morphology) whose route differs on purpose, with the reason; empty: none."""

Ranges = list[tuple[str, str]] | None


def _ranges(text: str) -> Ranges:
    if text.strip() == "*":
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    pairs = [part.partition("-") for part in parts]
    return [(low.strip(), (high or low).strip()) for low, _, high in pairs]


def _inside(ranges: Ranges, value: str) -> bool:
    return ranges is None or any(low <= value <= high for low, high in ranges)


class Selector:
    """The registry's schema selection tables."""

    def __init__(self, path: Path) -> None:
        self.rows: list[tuple[str, Ranges, Ranges, Ranges]] = []
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.startswith("schemas/") and name.endswith(".json")]
            for name in names:
                schema = json.loads(archive.read(name))
                table = json.loads(archive.read(f"tables/{schema['schema_selection_table']}.json"))
                keys = [column["key"] for column in table["definition"]]
                for raw in table["rows"]:
                    row = dict(zip(keys, raw, strict=True))
                    self.rows.append(
                        (
                            schema["id"],
                            _ranges(row.get("site", "*")),
                            _ranges(row.get("hist", "*")),
                            _ranges(row.get("year_dx", "*")),
                        )
                    )

    def select(self, site: str, histology: str, year: int) -> set[str]:
        return {
            name
            for name, sites, histologies, years in self.rows
            if _inside(sites, site) and _inside(histologies, histology) and _inside(years, str(year))
        }


@pytest.fixture(scope="module")
def selector() -> Selector:
    return Selector(EOD)


def _staged_sites() -> list[str]:
    """Every topography code that a route of the rule base names, range by range."""
    sites = set()
    for row in RULES.staging.routes:
        for item in row.sites:
            low, _, high = item.partition("-")
            sites |= {f"C{number:03d}" for number in range(int(low[1:]), int((high or low)[1:]) + 1)}
    return sorted(sites)


def test_routing_agrees_with_the_registry_for_every_neuroendocrine_code(selector: Selector) -> None:
    differences, compared = [], 0
    for year in YEARS:
        for site in _staged_sites():
            for histology in NEUROENDOCRINE:
                theirs = selector.select(site, histology, year)
                if not theirs:
                    continue
                compared += 1
                row = find_route(f"{site[:3]}.{site[3]}", histology, RULES, year=year)
                ours = set(row.registry_schemas) if row is not None else set()
                if not theirs & ours and (site, histology) not in KNOWN_DIFFERENCES:
                    differences.append(f"{year} {site} {histology}: registry {sorted(theirs)}, ours {sorted(ours)}")
    assert compared > 10_000
    assert differences == []


@pytest.mark.parametrize("year", YEARS)
def test_net_schemes_take_no_nec_and_no_minen(selector: Selector, year: int) -> None:
    """The registry sends 8246 (NEC) and 8154 (MiNEN) of every digestive site elsewhere than NET codes; so do we."""
    for site in ("C169", "C170", "C179", "C181", "C189", "C209", "C241", "C259"):
        for histology in ("8246", "8154", "8244", "8013", "8041"):
            row = find_route(f"{site[:3]}.{site[3]}", histology, RULES, year=year)
            assert row is not None
            assert not row.staged
            assert not any(name.startswith("net_") for name in selector.select(site, histology, year))


SEVENTH = {
    "net_stomach_ajcc7": "net_stomach",
    "net_jejunum_ileum_ajcc7": "net_small_intestine",
    "net_duodenum_ajcc7": "net_small_intestine",
    "net_ampulla_ajcc7": "net_ampulla",
    "net_colorectum_ajcc7": "net_colon",
    "merkel_ajcc7": "merkel_cell_skin",
}
ROMAN = {"1": "I", "2": "II", "3": "III", "4": "IV"}


def _groups(schema: str, basis: str) -> dict[tuple[str, str, str], str]:
    """The registry's stage of every T, N, M that it gives a stage to."""
    table_prefix = "tnm7_path_stage" if basis == "pathological" else "tnm7_stage"
    with zipfile.ZipFile(TNM7) as archive:
        content = json.loads(archive.read(f"schemas/{schema}.json"))
        mapping = next(m for m in content["mappings"] if m["id"] == "tnm7_stage")
        name = next(t["id"] for t in mapping["tables"] if t["id"].startswith(table_prefix))
        table = json.loads(archive.read(f"tables/{name}.json"))
    keys = [column["key"] for column in table["definition"]]
    found: dict[tuple[str, str, str], str] = {}
    for raw in table["rows"]:
        row: dict[str, Any] = dict(zip(keys, raw, strict=True))
        value = row["stage"].removeprefix("VALUE:")
        if not row["stage"].startswith("VALUE:") or value in ("99", "88", "0"):
            continue
        if basis == "pathological" and row.get("prefix_n_in", "p") not in ("p", "*"):
            continue
        t, n, m = (row[key].replace("A", "a").replace("B", "b").replace("C", "c") for key in ("t", "n", "m"))
        if "X" in (t, n, m) or t == "IS" or (basis == "pathological" and schema == "merkel_cell_skin" and n == "1"):
            continue  # a pathological N1 without a or b is stage III there; our categories always tell them apart
        found[f"T{t}", f"N{n}", f"M{m}"] = ROMAN[value[0]] + value[1:]
    return found


@pytest.mark.parametrize("basis", ["clinical", "pathological"])
@pytest.mark.parametrize(("scheme_id", "schema"), sorted(SEVENTH.items()))
def test_seventh_edition_groups_equal_the_registry(scheme_id: str, schema: str, basis: str) -> None:
    scheme = next(s for s in RULES.staging.schemes if s.id == scheme_id)
    groups = [row for row in scheme.groups if row.basis in (basis, "both")]
    values = {
        letter: {row.value for row in rows}
        for letter, rows in zip("TNM", (scheme.t, scheme.n, scheme.m), strict=True)
    }
    compared, differences = 0, []
    for (t, n, m), expected in _groups(schema, basis).items():
        if t not in values["T"] or n not in values["N"] or m not in values["M"]:
            continue
        ours = {row.stage for row in groups if matches_group(row, t, n, m)}
        compared += 1
        if ours != {expected}:
            differences.append(f"{t} {n} {m}: registry {expected}, ours {sorted(ours)}")
    assert compared >= 10
    assert differences == []


def test_grade_table_of_the_registry_has_our_words() -> None:
    """The cut-offs of the digestive scale stand in the registry's grade table as we apply them."""
    with zipfile.ZipFile(EOD) as archive:
        schema = json.loads(archive.read("schemas/net_pancreas_v9_2024.json"))
        table = next(i["table"] for i in schema["inputs"] if i["key"] == "grade_path")
        rows = {row[0]: " ".join(row[1].split()) for row in json.loads(archive.read(f"tables/{table}.json"))["rows"]}
    assert "less than 2 AND Ki-67 index (%) less than 3" in rows["1"]
    assert "equal 2-20 OR Ki-67 index (%) equal 3-20" in rows["2"]
    assert "greater than 20 OR Ki-67 index (%) greater than 20" in rows["3"]


def test_iliac_nodes_stand_where_we_say(selector: Selector) -> None:
    """The registry's Merkel tables: iliac (leg) under distant metastasis, and the note that conflicts with it."""
    del selector
    with zipfile.ZipFile(EOD) as archive:
        schema = json.loads(archive.read("schemas/merkel_cell_skin.json"))
        tables = {i["key"]: i["table"] for i in schema["inputs"]}
        mets = json.loads(archive.read(f"tables/{tables['eod_mets']}.json"))
        summary = json.loads(archive.read(f"tables/{tables['ss2018']}.json"))
    distant = next(row[1] for row in mets["rows"] if row[0] == "10")
    assert "Iliac (leg/hip)" in distant
    text = f"{summary['notes']} {summary['rows']}".lower()
    assert "iliac" in text
    assert "nodal basins" in text


def test_the_routes_that_differ_on_purpose_are_listed() -> None:
    by_reason: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for codes, reason in KNOWN_DIFFERENCES.items():
        by_reason[reason].append(codes)
    assert all(by_reason)
