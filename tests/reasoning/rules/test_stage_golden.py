"""Worked stages, each with the table it comes from (keys of the rule base's reference list)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.case.verdict import StageReading
from kulchitsky.case.vocabulary import State
from kulchitsky.knowledge.rules import Rules
from kulchitsky.reasoning.evaluate import Fact, Span
from kulchitsky.reasoning.route import route_of
from kulchitsky.reasoning.stage import stage
from kulchitsky.reasoning.stage_groups import stage_under

SKIN = {"setting": "skin", "site": {"region": "lower_limb", "side": "left"}}
GROIN_FELT = [{"station": "left groin", "side": "left", "state": "present", "found_by": "palpation"}]
GROIN_CLEAR = [{"station": "left groin", "side": "left", "state": "absent", "found_by": "palpation"}]


def merkel(
    size: float | None = None,
    *,
    deep: bool = False,
    nodes: list[dict[str, Any]] | None = None,
    removed: int | None = None,
    positive: int = 0,
    sentinel: bool = False,
    in_transit: str | None = None,
    findings: tuple[tuple[str, str], ...] = (),
    primary: str | None = None,
    year: int | None = None,
) -> dict[str, Any]:
    presentation: dict[str, Any] = {**SKIN, "nodes": nodes or []}
    if primary is not None:
        presentation["primary_found"] = primary
    procedures: list[dict[str, Any]] = []
    if size is not None:
        procedures.append(
            {"kind": "wide_excision", "tumour_size_cm": size, "invades": ["dermis", *(["muscle"] if deep else [])]}
        )
    if removed is not None:
        kind = "sentinel_node_biopsy" if sentinel else "node_dissection"
        procedures.append(
            {"kind": kind, "nodes_removed": removed, "nodes_positive": positive, "node_station": "left inguinal"}
        )
    if in_transit is not None:
        procedures.append({"kind": "excision", "in_transit": in_transit})
    imaging = [{"what": "metastasis", "place": place, "state": state} for place, state in findings]
    return {
        "presentation": presentation,
        "procedures": procedures,
        "imaging": [{"modality": "ct", "findings": imaging}] if findings else [],
        "working_diagnosis": {"entity": "merkel_cell_carcinoma"},
        **({"diagnosed_on": f"{year}-06-01"} if year is not None else {}),
    }


# name, case, scheme, TNM, stage, source
MERKEL: list[tuple[str, dict[str, Any], str, str, str, str]] = [
    ("T1 clinical", merkel(1.5, nodes=GROIN_CLEAR), "merkel_uicc9", "T1 N0 M0", "I", "NDRS9 clinical table"),
    ("T1 pN0", merkel(1.5, removed=2, sentinel=True), "merkel_uicc9", "T1 N0 M0", "I", "NDRS9 pathological table"),
    ("exactly 2.0 cm", merkel(2.0, nodes=GROIN_CLEAR), "merkel_uicc9", "T1 N0 M0", "I", "NDRS9: 2 cm or less"),
    ("2.1 cm", merkel(2.1, nodes=GROIN_CLEAR), "merkel_uicc9", "T2 N0 M0", "IIA", "NDRS9: more than 2"),
    ("exactly 5.0 cm", merkel(5.0, nodes=GROIN_CLEAR), "merkel_uicc9", "T2 N0 M0", "IIA", "NDRS9: not more than 5"),
    ("5.1 cm", merkel(5.1, nodes=GROIN_CLEAR), "merkel_uicc9", "T3 N0 M0", "IIA", "NDRS9: more than 5"),
    ("muscle", merkel(1.0, deep=True, nodes=GROIN_CLEAR), "merkel_uicc9", "T4 N0 M0", "IIB", "NDRS9: any size"),
    ("T4 pN0", merkel(6, deep=True, removed=3, sentinel=True), "merkel_ajcc8", "T4 N0 M0", "IIB", "AMIGOS"),
    ("clinical node", merkel(3, nodes=GROIN_FELT), "merkel_uicc9", "T2 N1 M0", "III", "NDRS9: any T N1 clinical"),
    ("sentinel positive", merkel(1, removed=2, positive=1, sentinel=True), "merkel_uicc9", "T1 N1a(sn) M0", "IIIA",
     "UTD110972: occult, by sentinel biopsy"),
    ("occult at dissection", merkel(3, nodes=GROIN_CLEAR, removed=9, positive=1), "merkel_uicc9", "T2 N1a M0", "IIIA",
     "UTD110972: occult, by dissection"),
    ("detected node", merkel(3, nodes=GROIN_FELT, removed=9, positive=1), "merkel_uicc9", "T2 N1b M0", "IIIB",
     "UTD110972; EOD33 code 400"),
    ("2 of 7 nodes, detected", merkel(6, deep=True, nodes=GROIN_FELT, removed=7, positive=2), "merkel_ajcc8",
     "T4 N1b M0", "IIIB", "AMIGOS"),
    ("T0 N1b", merkel(None, primary="absent", nodes=GROIN_FELT, removed=5, positive=1), "merkel_uicc9", "T0 N1b M0",
     "IIIA", "HARMS16: unknown primary regrouped to IIIA"),
    ("in transit", merkel(3, removed=4, nodes=GROIN_CLEAR, in_transit="present"), "merkel_uicc9", "T2 N2 M0", "IIIB",
     "NDRS9: N2 without node metastasis"),
    ("in transit with node", merkel(3, removed=4, positive=1, nodes=GROIN_FELT, in_transit="present"), "merkel_uicc9",
     "T2 N3 M0", "IIIB", "NDRS9: N3"),
    ("in transit, clinical", merkel(3, nodes=GROIN_CLEAR, in_transit="present"), "merkel_uicc9", "T2 N2 M0", "III",
     "NDRS9 clinical table"),
    ("lung", merkel(3, nodes=GROIN_CLEAR, findings=(("lung", "present"),)), "merkel_uicc9", "T2 N0 M1b", "IV",
     "UTD110972: lung"),
    ("liver", merkel(3, nodes=GROIN_CLEAR, findings=(("liver", "present"),)), "merkel_uicc9", "T2 N0 M1c", "IV",
     "UTD110972: all other sites"),
    ("brain after lung", merkel(3, nodes=GROIN_CLEAR, findings=(("lung", "present"), ("brain", "present"))),
     "merkel_uicc9", "T2 N0 M1c", "IV", "UTD110972"),
    ("7th edition, micrometastasis", merkel(3, nodes=GROIN_CLEAR, removed=9, positive=1, year=2014), "merkel_ajcc7",
     "T2 N1a M0", "IIIA", "EOD33tnm7"),
    ("7th, pN0", merkel(1, removed=2, sentinel=True, year=2014), "merkel_ajcc7", "T1 N0 M0", "IA", "EOD33tnm7"),
    ("7th edition, cN0", merkel(1, nodes=GROIN_CLEAR, year=2014), "merkel_ajcc7", "T1 N0 M0", "IB", "EOD33tnm7"),
    ("8th edition by year", merkel(1, nodes=GROIN_CLEAR, year=2020), "merkel_ajcc8", "T1 N0 M0", "I", "AMIGOS"),
]  # fmt: skip


def net(
    entity: str,
    setting: str,
    size: float | None,
    invades: tuple[str, ...] = (),
    *,
    topography: str | None = None,
    structures: tuple[str, ...] = (),
    removed: int | None = 10,
    positive: int = 0,
    station: str = "",
    findings: tuple[tuple[str, str, str], ...] = (),
    year: int | None = None,
) -> dict[str, Any]:
    presentation: dict[str, Any] = {"setting": setting, "site": {"side": "left"}}
    if topography is not None:
        presentation["site"]["topography"] = topography
    resection: dict[str, Any] = {
        "kind": "resection",
        "tumour_size_cm": size,
        "invades": list(invades),
        "structures_invaded": list(structures),
        "node_station": station,
    }
    if removed is not None:
        resection |= {"nodes_removed": removed, "nodes_positive": positive}
    return {
        "presentation": presentation,
        "procedures": [resection],
        "imaging": [
            {"modality": "ct", "findings": [{"what": w, "place": p, "state": s} for w, p, s in findings]}
        ] if findings else [],
        "working_diagnosis": {"entity": entity},
        **({"diagnosed_on": f"{year}-06-01"} if year is not None else {}),
    }  # fmt: skip


WALL1, WALL2, WALL3 = (
    ("mucosa", "submucosa"),
    ("submucosa", "muscularis_propria"),
    ("muscularis_propria", "subserosa"),
)
WALL4 = ("subserosa", "serosa")
NO_MASS = (("mesenteric mass", "", "absent"),)

ORGANS: list[tuple[str, dict[str, Any], str, str, str, str]] = [
    ("ileum T1", net("net_midgut", "small_bowel", 1.0, WALL1), "net_jejunum_ileum_ajcc8", "T1 N0 M0", "I", "WJGS23"),
    ("ileum T2 by size", net("net_midgut", "small_bowel", 1.1, WALL1), "net_jejunum_ileum_ajcc8", "T2 N0 M0", "II",
     "JI8: more than 1 cm"),
    ("ileum T2 by depth", net("net_midgut", "small_bowel", 0.5, WALL2), "net_jejunum_ileum_ajcc8", "T2 N0 M0", "II",
     "JI8: muscularis propria"),
    ("ileum T3", net("net_midgut", "small_bowel", 2, WALL3), "net_jejunum_ileum_ajcc8", "T3 N0 M0", "II", "WJGS23"),
    ("ileum T4", net("net_midgut", "small_bowel", 2, WALL4), "net_jejunum_ileum_ajcc8", "T4 N0 M0", "III", "WJGS23"),
    ("ileum 11 nodes", net("net_midgut", "small_bowel", 2, WALL3, positive=11, removed=20, findings=NO_MASS),
     "net_jejunum_ileum_ajcc8", "T3 N1 M0", "III", "JI8: fewer than 12"),
    ("ileum 12 nodes", net("net_midgut", "small_bowel", 2, WALL3, positive=12, removed=20), "net_jejunum_ileum_ajcc8",
     "T3 N2 M0", "III", "WJGS23: 12 or more"),
    ("mesenteric mass", net("net_midgut", "small_bowel", 2, WALL3, positive=1,
                            findings=(("mesenteric mass of 3 cm", "", "present"),)),
     "net_jejunum_ileum_ajcc8", "T3 N2 M0", "III", "WJGS23: mass above 2 cm"),
    ("liver only", net("net_midgut", "small_bowel", 2, WALL3, positive=12, removed=20,
                       findings=(("metastases", "liver", "present"),)),
     "net_jejunum_ileum_ajcc8", "T3 N2 M1a", "IV", "WJGS23: M1a"),
    ("liver and bone", net("net_midgut", "small_bowel", 2, WALL3, positive=12, removed=20,
                           findings=(("metastases", "liver", "present"), ("metastasis", "bone", "present"))),
     "net_jejunum_ileum_ajcc8", "T3 N2 M1c", "IV", "WJGS23: M1c"),
    ("peritoneum", net("net_midgut", "small_bowel", 2, WALL3, positive=12, removed=20,
                       findings=(("metastases", "peritoneum", "present"),)),
     "net_jejunum_ileum_ajcc8", "T3 N2 M1b", "IV", "WJGS23: M1b"),
    ("appendix 2.0 cm", net("net_midgut", "small_bowel", 2.0, WALL2, topography="C18.1"), "net_appendix_ajcc8",
     "T1 N0 M0", "I", "APP8: 2 cm or less"),
    ("appendix 4.0 cm", net("net_midgut", "small_bowel", 4.0, WALL2, topography="C18.1"), "net_appendix_ajcc8",
     "T2 N0 M0", "II", "APP8: up to 4 cm"),
    ("appendix subserosa", net("net_midgut", "small_bowel", 1.0, WALL3, topography="C18.1"), "net_appendix_ajcc8",
     "T3 N0 M0", "II", "APP8: subserosa"),
    ("appendix mesoappendix", net("net_midgut", "small_bowel", 1.0, WALL2, topography="C18.1",
                                  structures=("mesoappendix",)), "net_appendix_ajcc8", "T3 N0 M0", "II", "APP8"),
    ("appendix perforated", net("net_midgut", "small_bowel", 1.0, WALL4, topography="C18.1"), "net_appendix_ajcc8",
     "T4 N0 M0", "III", "APP8; WJES17 stage III"),
    ("appendix node", net("net_midgut", "small_bowel", 1.0, WALL2, topography="C18.1", positive=1),
     "net_appendix_ajcc8", "T1 N1 M0", "III", "WJES17"),
    ("pancreas 1.9 cm", net("net_pancreas", "pancreas", 1.9), "net_pancreas_ajcc8", "T1 N0 M0", "I", "PAN8; CCSpan"),
    ("pancreas 2.0 cm", net("net_pancreas", "pancreas", 2.0), "net_pancreas_ajcc8", "T2 N0 M0", "II",
     "POpancreas: T1 is below 2 cm"),
    ("pancreas 4.0 cm", net("net_pancreas", "pancreas", 4.0), "net_pancreas_ajcc8", "T2 N0 M0", "II", "POpancreas"),
    ("pancreas 4.1 cm", net("net_pancreas", "pancreas", 4.1), "net_pancreas_ajcc8", "T3 N0 M0", "II", "POpancreas"),
    ("pancreas duodenum", net("net_pancreas", "pancreas", 1.5, structures=("duodenum",)), "net_pancreas_ajcc8",
     "T3 N0 M0", "II", "POpancreas"),
    ("pancreas fat", net("net_pancreas", "pancreas", 1.5, structures=("peripancreatic fat",)), "net_pancreas_ajcc8",
     "T1 N0 M0", "I", "POpancreas: fat does not change T"),
    ("pancreas spleen", net("net_pancreas", "pancreas", 1.5, structures=("spleen",)), "net_pancreas_ajcc8",
     "T4 N0 M0", "III", "POpancreas; CCSpan"),
    ("pancreas node", net("net_pancreas", "pancreas", 1.5, positive=1), "net_pancreas_ajcc8", "T1 N1 M0", "III",
     "CCSpan"),
    ("duodenum T1", net("net_duodenum_stomach", "stomach", 1.0, WALL1, topography="C17.0"), "net_duodenum_ajcc8",
     "T1 N0 M0", "I", "POampulla"),
    ("duodenum pancreas", net("net_duodenum_stomach", "stomach", 1.0, WALL2, topography="C17.0",
                              structures=("pancreas",)), "net_duodenum_ajcc8", "T3 N0 M0", "II", "POampulla"),
    ("stomach T1", net("net_duodenum_stomach", "stomach", 1.0, WALL1), "net_stomach_ajcc8", "T1 N0 M0", "I",
     "PDQgi Table 2"),
    ("stomach T2 by size", net("net_duodenum_stomach", "stomach", 1.1, WALL1), "net_stomach_ajcc8", "T2 N0 M0", "II",
     "PDQgi Table 3"),
    ("stomach T4", net("net_duodenum_stomach", "stomach", 1.0, WALL4), "net_stomach_ajcc8", "T4 N0 M0", "III",
     "PDQgi Table 4"),
    ("stomach node", net("net_duodenum_stomach", "stomach", 1.0, WALL1, positive=1), "net_stomach_ajcc8", "T1 N1 M0",
     "III", "PDQgi Table 4"),
    ("stomach liver", net("net_duodenum_stomach", "stomach", 1.0, WALL1,
                          findings=(("metastasis", "liver", "present"),)), "net_stomach_ajcc8",
     "T1 N0 M1a", "IV", "PDQgi Table 5"),
    ("ampulla pancreas", net("net_duodenum_stomach", "stomach", 1.5, WALL2, topography="C24.1",
                             structures=("pancreas",)), "net_ampulla_ajcc8", "T3 N0 M0", "II", "PDQgi Table 7"),
    ("ampulla node", net("net_duodenum_stomach", "stomach", 0.8, WALL1, topography="C24.1", positive=1),
     "net_ampulla_ajcc8", "T1 N1 M0", "III", "PDQgi Table 8"),
    ("rectum 2.0 cm", net("net_rectum", "colorectum", 2.0, WALL1, year=2020), "net_colorectum_ajcc8", "T1b N0 M0",
     "I", "PDQgi Table 18: 2 cm or less"),
    ("rectum 2.1 cm", net("net_rectum", "colorectum", 2.1, WALL1, year=2020), "net_colorectum_ajcc8", "T2 N0 M0",
     "IIA", "PDQgi Table 19"),
    ("rectum T3", net("net_rectum", "colorectum", 1.0, WALL3, year=2020), "net_colorectum_ajcc8", "T3 N0 M0", "IIB",
     "PDQgi Table 19"),
    ("rectum T4", net("net_rectum", "colorectum", 1.0, WALL4, year=2020), "net_colorectum_ajcc8", "T4 N0 M0", "IIIA",
     "PDQgi Table 20"),
    ("rectum node", net("net_rectum", "colorectum", 0.8, WALL1, positive=1), "net_colorectum_v9", "T1a N1 M0", "IIIB",
     "PDQgi Table 20, POcr"),
    ("stomach 7th T2", net("net_duodenum_stomach", "stomach", 1.5, WALL1, year=2015), "net_stomach_ajcc7",
     "T2 N0 M0", "IIA", "EOD33tnm7"),
    ("stomach 7th node", net("net_duodenum_stomach", "stomach", 1.5, WALL1, positive=2, year=2015),
     "net_stomach_ajcc7", "T2 N1 M0", "IIIB", "EOD33tnm7"),
    ("ileum 7th T4", net("net_midgut", "small_bowel", 1.5, WALL4, year=2015), "net_jejunum_ileum_ajcc7", "T4 N0 M0",
     "IIIA", "EOD33tnm7"),
    ("rectum ENETS 0.9 cm", net("net_rectum", "colorectum", 0.9, WALL1), "net_colorectum_enets", "T1a N0 M0", "IA",
     "ENETSrec07"),
    ("rectum ENETS 1.0 cm", net("net_rectum", "colorectum", 1.0, WALL1), "net_colorectum_enets", "T1b N0 M0", "IB",
     "ENETSrec07: 1-2 cm is T1b"),
    ("rectum ENETS T3", net("net_rectum", "colorectum", 3, WALL3), "net_colorectum_enets", "T3 N0 M0", "IIB",
     "ENETSrec07"),
    ("lung 1.0 cm", net("net_lung", "lung", 1.0), "lung_uicc9", "T1a N0 M0", "IA1", "NDRS9lung"),
    ("lung 2.0 cm", net("net_lung", "lung", 2.0), "lung_uicc9", "T1b N0 M0", "IA2", "NDRS9lung"),
    ("lung 3.0 cm", net("net_lung", "lung", 3.0), "lung_uicc9", "T1c N0 M0", "IA3", "NDRS9lung"),
    ("lung pleura", net("net_lung", "lung", 2.0, structures=("visceral pleura",)), "lung_uicc9", "T2a N0 M0", "IB",
     "NDRS9lung: T2a"),
    ("lung N1, 9th", net("net_lung", "lung", 2.5, positive=1, station="left hilar"), "lung_uicc9", "T1c N1 M0", "IIA",
     "NDRS9lung: T1 N1 is IIA"),
    ("lung N1, 8th", net("net_lung", "lung", 2.5, positive=1, station="left hilar"), "lung_ajcc8", "T1c N1 M0", "IIB",
     "NCCNlung8: T1 N1 is IIB"),
    ("lung N2, 8th", net("net_lung", "lung", 2.5, positive=1, station="subcarinal"), "lung_ajcc8", "T1c N2 M0",
     "IIIA", "NCCNlung8"),
    ("lung chest wall", net("net_lung", "lung", 2.5, structures=("chest wall",)), "lung_ajcc8", "T3 N0 M0", "IIB",
     "LUNG8tab"),
    ("lung carina", net("net_lung", "lung", 2.5, structures=("carina",)), "lung_ajcc8", "T4 N0 M0", "IIIA",
     "LUNG8tab"),
    ("lung single brain", net("net_lung", "lung", 2.5, findings=(("solitary metastasis", "brain", "present"),)),
     "lung_uicc9", "T1c N0 M1b", "IVA", "NDRS9lung"),
    ("lung liver and bone", net("net_lung", "lung", 2.5, findings=(("metastases", "liver", "present"),
                                                                   ("metastases", "bone", "present"))),
     "lung_uicc9", "T1c N0 M1c2", "IVB", "NDRS9lung"),
    ("thymus 5.0 cm", net("net_lung", "mediastinum", 5.0, topography="C37.9"), "thymus_uicc9", "T1a N0 M0", "I",
     "NDRS9thymus"),
    ("thymus 9th lung", net("net_lung", "mediastinum", 5.0, topography="C37.9", structures=("lung",)), "thymus_uicc9",
     "T2 N0 M0", "II", "ITMIG9: lung moves from T3 to T2"),
    ("thymus 8th lung", net("net_lung", "mediastinum", 5.0, topography="C37.9", structures=("lung",)), "thymus_ajcc8",
     "T3 N0 M0", "IIIA", "ITMIG8"),
]  # fmt: skip


def reading_of(case: Case, rules: Rules, scheme: str) -> StageReading:
    readings = [r for r in stage(case, rules).readings if r.scheme == scheme]
    assert readings, f"no reading under {scheme}"
    return readings[0]


@pytest.mark.parametrize("row", [*MERKEL, *ORGANS], ids=lambda row: row[0])
def test_golden_stage(row: tuple[Any, ...], rules: Rules, make_case: Callable[..., Case]) -> None:
    _, fields, scheme, tnm, expected, source = row
    reading = reading_of(make_case(**fields), rules, scheme)
    found = " ".join(category.value for category in reading.categories)
    assert (found, reading.stage) == (tnm, expected), source
    assert all(reason.sources for category in reading.categories for reason in category.reasons)
    assert reading.reasons[0].sources


def test_unknown_detection_leaves_two_stages(rules: Rules, make_case: Callable[..., Case]) -> None:
    # EOD33 code 500: "clinically unknown if positive or negative" with positive nodes
    reading = reading_of(make_case(**merkel(6, deep=True, removed=7, positive=2)), rules, "merkel_uicc9")
    assert reading.stage == "undetermined"
    assert reading.possible == ("IIIA", "IIIB")
    assert "whether regional nodes were palpable or seen on imaging" in reading.missing


def test_nodes_found_at_surgery_are_occult(rules: Rules, make_case: Callable[..., Case]) -> None:
    # what only surgery found was not detected clinically; without a clinical examination both stay possible
    nodes = [{"station": "left groin", "state": "present", "found_by": "surgery"}]
    reading = reading_of(make_case(**merkel(3, nodes=nodes, removed=9, positive=1)), rules, "merkel_uicc9")
    assert reading.possible == ("IIIA", "IIIB")


def test_unknown_depth_leaves_t4_open(rules: Rules, make_case: Callable[..., Case]) -> None:
    fields = merkel(None, nodes=GROIN_CLEAR)
    fields["presentation"]["size"] = {"greatest_cm": 3}
    reading = reading_of(make_case(**fields), rules, "merkel_uicc9")
    assert reading.possible == ("IIA", "IIB")
    assert "whether fascia, muscle, cartilage or bone is invaded" in reading.missing


def test_a_suspected_metastasis_leaves_m0_standing(rules: Rules, make_case: Callable[..., Case]) -> None:
    fields = merkel(3, nodes=GROIN_CLEAR)
    fields["imaging"] = [{"modality": "ct", "findings": [{"what": "nodule", "place": "lung", "state": "present"}]}]
    reading = reading_of(make_case(**fields), rules, "merkel_uicc9")
    assert reading.stage == "IIA"
    assert reading.possible == ("IIA", "IV")


@pytest.mark.parametrize(("months", "stage_name"), [(0, "IV"), (4, "IV"), (6, "IIA")])
def test_a_scan_after_the_staging_window_is_follow_up(
    months: float, stage_name: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    # KCR: four months, or through the first surgery, in the absence of progression
    fields = merkel(3, nodes=GROIN_CLEAR)
    finding = {"what": "metastasis", "place": "liver", "state": "present"}
    fields["imaging"] = [{"modality": "ct", "months_from_diagnosis": months, "findings": [finding]}]
    assert reading_of(make_case(**fields), rules, "merkel_uicc9").stage == stage_name


def test_a_scheme_without_groups_says_so(rules: Rules) -> None:
    scheme = next(scheme for scheme in rules.staging.schemes if scheme.id == "net_stomach_ajcc8")
    found = {
        "depth": Fact("submucosa", ""),
        "size_cm": Fact(Span(0.8, 0.8), ""),
        "nodes_examined": Fact("negative", ""),
        "distant_any": Fact(State.ABSENT, ""),
    }
    assert stage_under(scheme, found).stage == "I"
    staged = stage_under(scheme.model_copy(update={"groups": ()}), found)
    assert staged.stage == "undetermined"
    assert staged.categories["T"].value == "T1"


@pytest.mark.parametrize(
    ("entity", "setting", "family"),
    [
        ("nec_extrapulmonary", "pancreas", "carcinoma_pancreas"),  # AJCC9pan: NEC goes to the exocrine pancreas
        ("nec_extrapulmonary", "stomach", "carcinoma_stomach"),  # POst: NEC is staged as carcinoma
        ("primary_cutaneous_net", "soft_tissue", "soft_tissue"),  # EOD33: sarcoma scheme
        ("primary_cutaneous_lcnec", "skin", "skin_other"),  # EOD33: no neuroendocrine stage
    ],
)
def test_what_has_no_neuroendocrine_stage(
    entity: str, setting: str, family: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    case = make_case(
        presentation={"setting": setting, "site": {"region": "lower_limb"}}, working_diagnosis={"entity": entity}
    )
    reading = stage(case, rules).readings[0]
    assert (reading.scheme, reading.stage) == (family, "not_staged")
    assert reading.reasons[0].sources


@pytest.mark.parametrize(
    ("setting", "text", "entity", "topography"),
    [
        ("colorectum", "rectum, 6 cm from the anal verge", "net_rectum", "C20.9"),
        ("colorectum", "", "net_rectum", "C20.9"),
        ("colorectum", "appendix", "net_midgut", "C18.1"),
        ("appendix", "", "net_midgut", "C18.1"),
        ("small_bowel", "terminal ileum", "net_midgut", "C17.2"),
        ("small_bowel", "duodenum", "net_duodenum_stomach", "C17.0"),
        ("pancreas", "tail of the pancreas", "net_pancreas", "C25.2"),
        ("lung", "right upper lobe", "net_lung", "C34.1"),
        ("pancreas", "head of pancreas and duodenum", "net_pancreas", "C25.9"),
    ],
)
def test_the_text_of_the_site_names_the_topography(
    setting: str, text: str, entity: str, topography: str, rules: Rules, make_case: Callable[..., Case]
) -> None:
    # ICD-O-3 topography; two subsites in one text settle nothing
    fields: dict[str, Any] = {"presentation": {"setting": setting}, "working_diagnosis": {"entity": entity}}
    if text:
        fields["presentation"]["site"] = {"text": text}
    assert route_of(make_case(**fields), rules, entity).topography == topography


def test_uptake_in_an_armpit_is_nodal_where_the_tissue_is_a_node(
    rules: Rules, make_case: Callable[..., Case]
) -> None:
    fields: dict[str, Any] = {
        "presentation": {"setting": "lymph_node", "primary_found": "absent", "site": {"region": "axilla"}},
        "procedures": [
            {"kind": "node_dissection", "node_station": "axillary", "nodes_removed": 14, "nodes_positive": 3}
        ],
        "imaging": [
            {"modality": "fdg_pet", "findings": [{"what": "uptake", "place": "right axilla", "state": "present"}]}
        ],
        "working_diagnosis": {"entity": "merkel_cell_carcinoma"},
    }
    reading = reading_of(make_case(**fields), rules, "merkel_uicc9")
    assert [category.value for category in reading.categories] == ["T0", "N1b", "M0"]
    assert reading.stage == "IIIA"  # HARMS16: unknown primary regrouped to IIIA


@pytest.mark.parametrize(
    ("setting", "entity", "distant"),
    [
        ("liver", "net_pancreas", True),
        ("brain", "nec_large_cell_lung", True),
        ("pancreas", "net_pancreas", False),
        ("lymph_node", "merkel_cell_carcinoma", False),
    ],
)
def test_tissue_of_an_organ_that_is_never_the_primary_is_a_metastasis(
    setting: str, entity: str, distant: bool, rules: Rules, make_case: Callable[..., Case]
) -> None:
    case = make_case(presentation={"setting": setting, "site": {"text": setting.replace("_", " ")}})
    verdict = stage(case, rules, diagnoses=(entity,))
    values = {c.value for reading in verdict.readings for c in reading.categories if c.name == "M"}
    assert values
    assert ("M0" not in values) == distant
