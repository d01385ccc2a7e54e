"""A worked-up case as the use case would hand it over: the growing thigh mass, with every section filled."""

from __future__ import annotations

import datetime as dt
import io
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from ruamel.yaml import YAML

from kulchitsky.case import vocabulary as v
from kulchitsky.case.issue import Issue, Level
from kulchitsky.case.measure import CutCurvePoint, HotSpot, LeftOut, Share, SlideCount, StainReading
from kulchitsky.case.record import Case
from kulchitsky.case.verdict import (
    Category,
    Challenge,
    ClaimCheck,
    Code,
    Contradiction,
    Diagnosis,
    Differential,
    Fact,
    GradeVerdict,
    NextTest,
    NotUnderstood,
    Option,
    Plan,
    Prognosis,
    PrognosisFigure,
    Reason,
    Reference,
    SlidePicture,
    StageReading,
    StageVerdict,
    TestAdvice,
    Versions,
    Visit,
    Weight,
    WorkedUpCase,
)

NAMES = {
    "merkel_cell_carcinoma": "Merkel cell carcinoma",
    "nec_small_cell_lung": "Small cell lung carcinoma",
    "nec_small_cell_extrapulmonary": "Extrapulmonary small cell carcinoma",
    "net_g3": "NET G3",
    "net_soft_tissue": "Primary soft-tissue NET",
    "metastatic_net": "Metastatic well-differentiated NET",
    "ewing_sarcoma": "Ewing sarcoma",
    "melanoma": "Melanoma",
    "ck20": "CK20",
    "ttf1": "TTF-1",
    "neurofilament": "Neurofilament",
    "chromogranin_a": "Chromogranin A",
    "cd56": "CD56",
    "nse": "NSE",
    "ae1_ae3": "AE1/AE3",
    "ki67": "Ki-67",
    "mcpyv": "MCPyV T antigen",
}

POSTERIORS = {
    "merkel_cell_carcinoma": (0.30, 0.784, (0.61, 0.89)),
    "nec_small_cell_extrapulmonary": (0.08, 0.074, (0.02, 0.18)),
    "nec_small_cell_lung": (0.06, 0.041, (0.01, 0.12)),
    "net_g3": (0.05, 0.022, (0.004, 0.09)),
    "ewing_sarcoma": (0.10, 0.013, (0.002, 0.06)),
    "net_soft_tissue": (0.02, 0.009, (0.001, 0.05)),
    "metastatic_net": (0.14, 0.004, (0.0005, 0.03)),
    "melanoma": (0.20, 0.003, (0.0004, 0.02)),
}

WEIGHTS = {
    "ae1_ae3.perinuclear_dot": (1.12, (0.55, 1.7), "counts", 50, 71, "Keratin dots beside the nucleus"),
    "ki67": (0.61, (0.2, 1.0), "density", None, None, "Ki-67 of 65 % lies inside the range published"),
    "chromogranin_a": (0.08, (-0.2, 0.35), "counts", 61, 88, "Chromogranin A is present in most"),
    "cd56": (0.12, (-0.1, 0.3), "family", 40, 44, "CD56 is present in most of the family"),
    "necrosis": (0.15, (-0.3, 0.6), "default", None, None, "No study reports necrosis"),
    "region.lower_limb": (-0.18, (-0.4, 0.02), "counts", 120, 1034, "One in nine arises in the lower limb"),
}


def _case() -> Case:
    text = Path(__file__).with_name("case.yaml").read_text(encoding="utf-8")
    return Case.model_validate(YAML(typ="safe").load(text))


def _weights() -> tuple[Weight, ...]:
    scale = {entity: 1.0 - 0.35 * rank for rank, entity in enumerate(POSTERIORS)}
    return tuple(
        Weight(
            finding=finding,
            entity=entity,
            log10_lr=round(lr * scale[entity], 3),
            interval_95=tuple(sorted((round(low * scale[entity], 3), round(high * scale[entity], 3)))),
            group="keratin" if finding.startswith("ae1") else finding,
            kind=kind,
            sentence=f"{sentence} for {NAMES[entity]}",
            n_positive=n,
            n_tested=total,
            studies=2 if n else 0,
            sources=("LEDER",) if n else (),
        )
        for entity in POSTERIORS
        for finding, (lr, (low, high), kind, n, total, sentence) in WEIGHTS.items()
    )


def _differential() -> Differential:
    return Differential(
        edition="2026.11",
        diagnoses=tuple(
            Diagnosis(entity=entity, name=NAMES[entity], prior=prior, posterior=posterior, interval_95=interval)
            for entity, (prior, posterior, interval) in POSTERIORS.items()
        ),
        none_of_these=0.05,
        weights=_weights(),
        next_tests=(
            NextTest(
                markers=("ck20", "ttf1"),
                expected_bits=0.61,
                separates=("merkel_cell_carcinoma", "nec_small_cell_lung"),
                p_change_top=0.14,
                sentence="CK20 with TTF-1 separates Merkel cell carcinoma from small cell lung carcinoma",
                sources=("NF55", "LEDER"),
            ),
            NextTest(
                markers=("mcpyv",),
                expected_bits=0.32,
                separates=("merkel_cell_carcinoma", "nec_small_cell_extrapulmonary"),
                p_change_top=0.004,
            ),
        ),
    )


def _challenge() -> Challenge:
    return Challenge(
        diagnosis="net_soft_tissue",
        name="Primary soft-tissue NET",
        posterior=0.009,
        contradictions=(
            Contradiction(
                kind="improbable_finding",
                finding="ki67",
                sentence="A Ki-67 index of 65 % is not the range of a well-differentiated NET",
                probability=0.02,
                interval_95=(0.003, 0.07),
                better_explained_by="merkel_cell_carcinoma",
                sources=("KIM20",),
            ),
            Contradiction(
                kind="missing_test",
                finding="ck20",
                sentence="CK20, TTF-1, neurofilament and MCPyV were not done and would settle it",
                sources=("NF55",),
            ),
        ),
    )


def _grades() -> tuple[GradeVerdict, ...]:
    return (
        GradeVerdict(
            system="WHO digestive",
            edition="2022",
            grade="undetermined",
            probabilities={"G1": 0.0, "G2": 0.0, "G3": 0.31, "NEC": 0.69},
            decided_by="ki67",
            basis=(Reason(sentence="Ki-67 of 65 % is above 20 %", rule="ki67_above_20", sources=("SNMMI19",)),),
            would_change=(Reason(sentence="Differentiation was not stated: it decides between NET G3 and NEC"),),
            differentiation={"NET G3": 0.08, "NEC": 0.92},
        ),
    )


def _stage() -> StageVerdict:
    def reading(authority: str, edition: str, stage: str, possible: tuple[str, ...]) -> StageReading:
        return StageReading(
            scheme="merkel_skin",
            scheme_name="Merkel cell carcinoma",
            edition=edition,
            authority=authority,
            categories=(
                Category(name="T", value="T4", reasons=(Reason(sentence="It invades muscle", sources=("NDRS9",)),)),
                Category(name="N", value="N1b", reasons=(Reason(sentence="2 of 7 nodes, palpable"),)),
                Category(
                    name="M",
                    value="undetermined",
                    prefix="c",
                    reasons=(Reason(sentence="The pelvic node was not sampled"),),
                    missing=("tissue from the pelvic node", "FDG PET/CT"),
                ),
            ),
            stage=stage,
            possible=possible,
            missing=("tissue from the pelvic node",),
        )

    return StageVerdict(
        topography="C44.7",
        morphology="8247/3",
        routing=(Reason(sentence="Merkel cell carcinoma of the lower limb is staged as skin", sources=("NDRS9",)),),
        readings=(
            reading("UICC", "TNM 9", "undetermined", ("IIIB", "IV")),
            reading("SEER", "EOD 3.3", "IIIB", ("IIIB", "IV")),
        ),
    )


def _plan() -> Plan:
    return Plan(
        prognosis=Prognosis(
            figures=(
                PrognosisFigure(
                    endpoint="overall survival",
                    years=5,
                    percent=27,
                    population="Node-positive Merkel cell carcinoma, nodes detected, primary known; NCDB 1998-2012",
                    n=9387,
                    fits="Palpable nodes, two positive",
                    sources=("HARMS16",),
                ),
                PrognosisFigure(
                    endpoint="recurrence",
                    years=1,
                    percent=45,
                    interval_95=(38, 53),
                    population="Stage IIIB, Seattle 2003-2019",
                    n=618,
                    sources=("MCEVOY22",),
                ),
                PrognosisFigure(
                    endpoint="overall_survival",
                    median_months=12.6,
                    hazard_ratio=1.4,
                    population="Metastatic, after chemotherapy, avelumab",
                    n=88,
                    sources=("JAV5",),
                ),
            ),
            claims=(
                ClaimCheck(
                    claim="70 % survive five years",
                    verdict="contradicted",
                    sentence="Node-positive Merkel cell carcinoma with nodes detected: 27 % of 9 387 at five years",
                    sources=("HARMS16",),
                ),
            ),
        ),
        tests=(
            TestAdvice(
                test="FDG PET/CT",
                question="Is there distant disease?",
                status="missing",
                sentence="Upstages a node-positive case in one of six to nine",
                sensitivity_percent=90,
                specificity_percent=98.5,
                n=92,
                pre_test=0.13,
                post_test_if_positive=0.87,
                post_test_if_negative=0.016,
                sources=("SINGH21",),
            ),
            TestAdvice(
                test="Urinary 5-HIAA", question="", status="adds_nothing", sentence="Normal excludes nothing here"
            ),
        ),
        options=(
            Option(option="Octreotide", applies="no", sentence="No symptom of hormone excess", sources=("ENETSG3",)),
            Option(
                option="Adjuvant radiotherapy",
                applies="yes",
                sentence="Node-positive, 6 cm; better survival in registry series",
                line="adjuvant",
                strength="consensus",
                cautions=("Wound healing after dissection",),
                sources=("EADO22",),
            ),
            Option(
                option="Avelumab", applies="conditional", sentence="If distant disease is proven", sources=("JAV5",)
            ),
        ),
        follow_up=tuple(
            Visit(months=month, what="skin and node examination, imaging", sources=("EADO22",))
            for month in (3, 6, 9, 12)
        ),
        codes=(Code(system="ICD-O-3", code="8247/3", display="Merkel cell carcinoma", path="working_diagnosis"),),
    )


def _references() -> tuple[Reference, ...]:
    def ref(key: str, title: str, doi: str = "", url: str = "") -> Reference:
        return Reference(key=key, title=title, authors="Author A, Author B", year=2020, journal="J", doi=doi, url=url)

    return (
        ref("LEDER", "Keratin and neurofilament patterns", url="https://example.org/leder"),
        ref("NF55", "Neurofilament against CK20", doi="10.1111/his.13758"),
        ref("KIM20", "Pancreatic high-grade neoplasms", doi="https://doi.org/10.4143/crt.2019.192"),
        ref("SNMMI19", "Grading criteria"),
        ref("NDRS9", "Staging sheet", url="https://example.org/ndrs"),
        ref("HARMS16", "9387 cases", doi="10.1245/s10434-016-5266-4"),
        ref("MCEVOY22", "Recurrence by stage", doi="10.1001/jamadermatol.2021.6096"),
        ref("JAV5", "Avelumab, five years"),
        ref("SINGH21", "Baseline imaging", doi="10.1016/j.jaad.2020.07.065"),
        ref("ENETSG3", "High-grade neoplasms"),
        ref("EADO22", "European consensus", doi="10.1016/j.ejca.2022.03.043"),
    )


def _count() -> SlideCount:
    return SlideCount(
        slide="slides/ki67.png",
        um_per_px=0.25,
        tissue_mm2=3.214,
        counted=8123,
        positive=4712,
        index_percent=58.01,
        interval_95=(56.9, 59.1),
        hotspots=(
            HotSpot(
                counted=500,
                positive=331,
                index_percent=66.2,
                interval_95=(61.9, 70.2),
                area_mm2=0.1021,
                centre_um=(512.0, 733.0),
                cells_wanted=500,
                null_index_percent=62.4,
                null_interval_95=(60.8, 64.2),
                shrunk_index_percent=63.9,
                shrunk_interval_95=(60.1, 67.5),
            ),
        ),
        left_out=(LeftOut(reason="lymphocyte", cells=212, positive=71),),
        index_with_left_out_percent=57.4,
        cut_curve=tuple(CutCurvePoint(cut_od=cut, index_percent=i) for cut, i in ((0.1, 90), (0.3, 55), (0.5, 20))),
        method={"detector": "fast", "version": "1", "cut_od": 0.24, "stains": {"haematoxylin": [0.65, 0.7, 0.29]}},
        issues=(
            Issue(level=Level.WARNING, code="slide.small", message="Little tissue", remedy="Count a second block"),
        ),
    )


def _reading() -> StainReading:
    return StainReading(
        slide="slides/ae1ae3.png",
        marker="ae1_ae3",
        um_per_px=0.25,
        tissue_mm2=2.0,
        counted=3000,
        positive=2430,
        index_percent=81.0,
        interval_95=(79.6, 82.4),
        extent=v.Extent.DIFFUSE,
        intensity=v.Intensity.STRONG,
        compartment=v.Compartment.CYTOPLASMIC,
        pattern=v.Pattern.PERINUCLEAR_DOT,
        pattern_confidence=0.93,
        intensity_classes=(Share(name="2+", fraction=0.4), Share(name="3+", fraction=0.6)),
        patterns=(Share(name="perinuclear_dot", fraction=0.93),),
        h_score=212.0,
        expected="cytoplasmic, diffuse or dot-like",
        method={"detector": "fast"},
    )


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A small PNG."""
    buffer = io.BytesIO()
    image = Image.new("RGB", (240, 160), (222, 214, 228))
    image.paste((120, 84, 50), (60, 40, 120, 100))
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def worked() -> WorkedUpCase:
    """The thigh mass, worked up."""
    return WorkedUpCase(
        case=_case(),
        facts=(Fact(path="patient.age_years", value=77, text="77-year-old woman", start=2, end=19),),
        not_understood=(NotUnderstood(text="the usual precautions", start=40, end=61, why="no known term"),),
        counts=(_count(),),
        readings=(_reading(),),
        pictures=(
            SlidePicture(
                slide="slides/ki67.png", path="ki67-hot-spot.png", caption="Ki-67, hottest 500 cells", um_per_px=0.5
            ),
            SlidePicture(slide="slides/ae1ae3.png", path="ae1ae3.png", caption="AE1/AE3, dots beside the nuclei"),
        ),
        differential=_differential(),
        challenge=_challenge(),
        grade=_grades(),
        stage=_stage(),
        plan=_plan(),
        names=NAMES,
        references=_references(),
        issues=(
            Issue(
                level=Level.SERIOUS,
                code="lab.unit.suspicious",
                message="CEA of 0.777 ng/dL is far below any reported value: the unit is almost surely ng/mL",
                remedy="Check the laboratory sheet",
                path="laboratory[1].unit",
            ),
        ),
        versions=Versions(
            software="0.1.0",
            knowledge_edition="2026.11",
            case_sha256="ab" * 32,
            created=dt.datetime(2026, 11, 24, 6, 0, tzinfo=dt.UTC),
        ),
    )


@pytest.fixture(scope="session")
def empty() -> WorkedUpCase:
    """A case of which nothing is known."""
    return WorkedUpCase(
        case=Case(),
        differential=Differential(edition="2026.11", diagnoses=(), none_of_these=1.0),
        stage=StageVerdict(),
        plan=Plan(),
        versions=Versions(software="0.1.0", knowledge_edition="2026.11"),
    )


class Figures:
    """Compares every number printed on a page with the JSON."""

    def compare(self, tree: ET.Element, content: Any) -> int:
        """Assert that each printed number is the number at its path, rounded; the count of numbers."""
        found = list(tree.iter("data"))
        for element in found:
            path, printed = element.get("data-path", ""), "".join(element.itertext())
            value = self._at(content, path)
            assert float(element.get("value", "")) == value, path
            assert self.agrees(printed, value), f"{path}: {value} printed as {printed}"
        return len(found)

    def _at(self, content: Any, path: str) -> float:
        for key in path.split("."):
            content = content[int(key)] if isinstance(content, list) else content[key]
        assert isinstance(content, int | float)
        return float(content)

    def agrees(self, printed: str, value: float) -> bool:
        """Whether the printed number is the value, or the value in percent, rounded to the digits printed."""
        text = (
            printed.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace("%", "")
        )
        if text in ("<1", ">99"):
            return (0 < value <= 0.005) if text == "<1" else (0.995 <= value < 1)
        step = 10.0 ** -len(text.partition(".")[2])
        scales = (1, 100) if "%" in printed else (1,)
        return any(abs(float(text) - scale * value) <= 0.5001 * step for scale in scales)


@pytest.fixture(scope="session")
def figures() -> Figures:
    """The comparison of printed numbers with the JSON."""
    return Figures()
