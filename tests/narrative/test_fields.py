"""Every kind of fact but stains: short texts of real phrasing with what must be read."""

from __future__ import annotations

from typing import Any

import pytest

from kulchitsky.case.record import Case
from kulchitsky.narrative.notebook import Notebook
from kulchitsky.narrative.page import make_page
from kulchitsky.narrative.read_text import read_text


def case_of(text: str) -> Case:
    return read_text(text).case


@pytest.mark.parametrize(
    ("text", "age", "sex"),
    [
        ("A 77-year-old woman presented with a mass.", 77, "female"),
        ("A woman of 77 years had a mass.", 77, "female"),
        ("The patient SN, aged 77 years, was referred with a mass in her thigh.", 77, "female"),
        ("Male, 64 y. Nodule of the temple.", 64, "male"),
        ("79 F. Lump in the left groin.", 79, "female"),
        ("61 M, lorry driver, with a lump of the neck.", 61, "male"),
        ("M/58, lump of the neck.", 58, "male"),
        ("Boy of 11 with a mass.", 11, "male"),
        ("A seventy-seven-year-old lady with a mass.", 77, "female"),
        ("Sex: female. Age: 81.", 81, "female"),
        ("Bricklayer, 72, no drugs.", 72, "male"),
        ("72 y/o gentleman with a nodule.", 72, "male"),
        ("A 6-month-old girl with a mass.", 0.5, "female"),
        ("His mother died of lung cancer at 60. A 45-year-old man.", 45, "male"),
        ("A patient aged 50. She noticed a lump on her arm.", 50, "female"),
        ("A mass of the right testis was removed.", None, "male"),
        ("A nodule of the scalp was removed.", None, "unknown"),
        ("The tumour measured 77 mm.", None, "unknown"),
    ],
)
def test_age_and_sex(text: str, age: float | None, sex: str) -> None:
    patient = case_of(text).patient
    assert (patient.age_years, patient.sex.value) == (age, sex)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ki-67 was 80 %.", {"percent": 80}),
        ("Ki67 index: 3%.", {"percent": 3}),
        ("The Ki-67 labelling index was approximately 25 %.", {"percent": 25, "bound": "about"}),
        ("MIB-1 in 25 % of nuclei; p27 in 90 %.", {"percent": 25}),
        ("The proliferation index Ki67 was demonstrated in up to 65% of the nuclei.", {"percent": 65, "bound": "at_most"}),  # noqa: E501
        ("Ki-67 < 2 %.", {"percent": 2, "bound": "at_most"}),
        ("Ki-67 >80%.", {"percent": 80, "bound": "at_least"}),
        ("Ki-67 20-30 %.", {"low_percent": 20, "high_percent": 30}),
        ("Ki-67: 20 to 30%.", {"low_percent": 20, "high_percent": 30}),
        ("Ki-67 20–30 %.", {"low_percent": 20, "high_percent": 30}),
        ("About 70% of the tumour cells were positive for Ki-67.", {"percent": 70, "bound": "about"}),
        ("Ki-67 (MIB-1) labels 40 % of cells.", {"percent": 40}),
        ("Ki-67 index in hot spots 55.3 % (1106 of 2000 cells).",
         {"percent": 55.3, "positive": 1106, "counted": 2000, "hotspot": True}),
        ("The proliferation index was 12 %.", {"percent": 12}),
        ("Proliferative index (Ki 67) 2 %.", {"percent": 2}),
    ],
)  # fmt: skip
def test_ki67(text: str, expected: dict[str, Any]) -> None:
    (entry,) = case_of(text).ki67
    got = entry.model_dump(mode="json", exclude_defaults=True)
    assert got == expected


@pytest.mark.parametrize(
    "text",
    [
        "No Ki-67 was recorded.",
        "Ki-67 not given.",
        "Ki-67: low.",
        "Chromogranin positive in 60 % of cells; Ki-67 not stated.",
    ],
)
def test_no_ki67_is_made_up(text: str) -> None:
    assert case_of(text).ki67 == ()


@pytest.mark.parametrize(
    ("text", "region", "side", "setting"),
    [
        ("SKIN, LEFT TEMPLE, BIOPSY. Dermal nodule.", "face", "left", "skin"),
        ("A subcutaneous mass of the left upper thigh.", "lower_limb", "left", "soft_tissue"),
        ("Nodule of the right upper eyelid, excised. Intradermal tumour.", "eyelid", "right", "skin"),
        ("Left groin mass, excised. Soft tissue with tumour.", "groin", "left", "soft_tissue"),
        ("LYMPH NODE, RIGHT AXILLA, EXCISION. Node replaced by tumour.", "axilla", "right", "lymph_node"),
        ("Liver, core biopsy. Metastasis.", "abdomen", None, "liver"),
        ("Biopsy of a mass in the head of the pancreas.", "abdomen", None, "pancreas"),
        ("Bronchoscopic biopsy of the right upper lobe.", "chest", "right", "lung"),
        ("Ulcerated nodule on the scalp. Dermal tumour, epidermis ulcerated.", "scalp", None, "skin"),
        ("A nodule on the back of the left hand. Skin: dermal tumour.", "upper_limb", "left", "skin"),
        ("Terminal ileum resection: mural tumour.", "abdomen", None, "small_bowel"),
        ("Appendicectomy: tumour of the tip, 1.1 cm.", "abdomen", None, "appendix"),
        ("A 5 cm ulcerated mass of the distal esophagus.", "chest", None, "oesophagus"),
    ],
)
def test_site(text: str, region: str, side: str | None, setting: str) -> None:
    presentation = case_of(text).presentation
    assert presentation.site is not None
    assert presentation.site.region is not None
    assert presentation.site.region.value == region
    assert (presentation.site.side.value if presentation.site.side else None) == side
    assert presentation.setting is not None
    assert presentation.setting.value == setting


@pytest.mark.parametrize(
    ("text", "greatest", "dimensions"),
    [
        ("A 5/6 cm hard mass of the thigh.", 6, (6, 5)),
        ("A tumour of 2.5 × 1.8 × 1.2 cm.", 2.5, (2.5, 1.8, 1.2)),
        ("The mass measured 6 cm in its greatest diameter.", 6, ()),
        ("A nodule of 14 mm.", 1.4, ()),
        ("A lump measuring 3 by 2 cm.", 3, (3, 2)),
        ("The lesion was 5–6 cm across.", 6, ()),
        ("A papule 0.3 cm across.", 0.3, ()),
        ("Mass 65 x 38 mm.", 6.5, (6.5, 3.8)),
    ],
)
def test_size(text: str, greatest: float, dimensions: tuple[float, ...]) -> None:
    size = case_of(text).presentation.size
    assert size is not None
    assert size.greatest_cm == greatest
    assert size.dimensions_cm == dimensions


@pytest.mark.parametrize(
    "text",
    [
        "Excised with a margin of 2 cm.",
        "A lymph node of 3 cm was felt.",
        "Colonoscopy: polyp at 30 cm.",
        "SUVmax 13.9.",
    ],
)
def test_what_is_no_size_of_the_tumour(text: str) -> None:
    assert case_of(text).presentation.size is None


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("A woman with a three months history of a growing mass.", 3),
        ("A mass had grown over the preceding 2 months.", 2),
        ("Lump in the groin for 15 years.", 180),
        ("A nodule slowly growing over 8 months.", 8),
        ("A 2-week history of a growing nodule.", 0.46),
        ("A mass present 5 months.", 5),
        ("A lump noticed six months ago.", 6),
    ],
)
def test_duration(text: str, months: float) -> None:
    assert case_of(text).presentation.duration_months == months


@pytest.mark.parametrize(
    "text",
    [
        "A girl of 17 years with a mass.",
        "Chronic lymphocytic leukaemia for 10 years.",
        "At six months there is no recurrence.",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    assert case_of(text).presentation.duration_months is None


@pytest.mark.parametrize(
    ("text", "present", "absent"),
    [
        ("She denied flushing, wheeze or diarrhoea.", set(), {"flushing", "wheeze", "diarrhoea"}),
        ("No systemic symptoms such as flushing, wheeze or diarrhea.", set(), {"flushing", "wheeze", "diarrhoea", "systemic symptoms"}),  # noqa: E501
        ("Weight loss and abundant diarrhoea; no fever.", {"weight loss", "diarrhoea"}, {"fever"}),
        ("He had no jaundice but complained of epigastric pain.", {"epigastric pain"}, {"jaundice"}),
        ("Cough without haemoptysis.", {"cough"}, {"haemoptysis"}),
        ("No past history, three months of epigastric pain.", {"epigastric pain"}, set()),
    ],
)  # fmt: skip
def test_symptoms(text: str, present: set[str], absent: set[str]) -> None:
    symptoms = case_of(text).presentation.symptoms
    assert {s.name for s in symptoms if s.state == "present"} == present
    assert {s.name for s in symptoms if s.state == "absent"} == absent


def test_history() -> None:
    case = case_of(
        "A 70-year-old man, ex-smoker (40 pack-years), with hypertension, chronic lymphocytic leukaemia for ten years and heart "  # noqa: E501
        "failure NYHA class III; HIV negative. Melanoma of the back removed in 2009. His mother had breast cancer."
    )
    assert {c.name: c.state.value for c in case.comorbidities} == {
        "hypertension": "present", "chronic lymphocytic leukaemia": "present", "heart failure": "present",
        "HIV infection": "absent", "smoking": "present",
    }  # fmt: skip
    assert "NYHA III" in {c.detail for c in case.comorbidities}
    assert case.patient.immune_suppression is not None
    assert case.patient.immune_suppression.cause == "chronic lymphocytic leukaemia"
    assert "elanoma of the back" in case.presentation.known_other_tumour
    assert "breast" not in case.presentation.known_other_tumour
    assert "2009" not in case.presentation.known_other_tumour


@pytest.mark.parametrize(
    ("text", "test", "value", "unit", "interpretation"),
    [
        ("Haemoglobin 12.45 g/dL.", "haemoglobin", 12.45, "g/dL", None),
        ("WBC (white blood cell) count 10.21×1000 cells/µL.", "white blood cells", 10.21, "10*3/uL", None),
        ("CEA 0.777 ng/dL.", "CEA", 0.777, "ng/dL", None),
        ("CA 19-9 was 12.83 U/mL.", "CA 19-9", 12.83, "U/mL", None),
        ("LDH 12.3 ukat/l (normal < 5).", "LDH", 12.3, "ukat/l", "high"),
        ("Serum calcitonin 3,500 pg/ml (15-100).", "calcitonin", 3500, "pg/ml", "high"),
        ("Serum chromogranin A was elevated.", "chromogranin A", None, "", "high"),
        ("24 h urinary 5-HIAA concentration was normal.", "5-HIAA", None, "", "normal"),
        ("Platelets 210 x10^9/L.", "platelets", 210, "10*9/L", None),
    ],
)
def test_laboratory(text: str, test: str, value: float | None, unit: str, interpretation: str | None) -> None:
    (row,) = case_of(text).laboratory
    assert (row.test, row.value, row.unit) == (test, value, unit)
    assert (row.interpretation.value if row.interpretation else None) == interpretation


def test_a_stain_is_no_laboratory_value() -> None:
    assert case_of("Calcitonin and CEA were diffusely positive in the tumour cells.").laboratory == ()


def test_imaging_keeps_place_state_and_modality_together() -> None:
    case = case_of(
        "CT of the chest and abdomen showed a mass in the head of the pancreas and enlarged nodes in the left groin, but no lesion in the lungs."  # noqa: E501
    )
    (scan,) = case.imaging
    assert scan.modality == "ct"
    assert set(scan.body_parts) == {"chest", "abdomen"}
    found = {(f.place, f.state.value) for f in scan.findings}
    assert found == {("head of the pancreas", "present"), ("groin", "present"), ("lungs", "absent")}


@pytest.mark.parametrize(
    ("text", "modality", "place", "state"),
    [
        ("Octreotide scan showed no uptake.", "octreotide_scan", "", "absent"),
        ("FDG PET lit up the right submandibular node.", "fdg_pet", "submandibular", "present"),
        ("Brain MRI normal.", "mri", "brain", "absent"),
        ("Chest X-ray: lungs clear.", "xray", "lungs", "absent"),
        ("Ultrasound: many hepatic lesions.", "ultrasound", "hepatic", "present"),
    ],
)
def test_imaging(text: str, modality: str, place: str, state: str) -> None:
    (scan,) = case_of(text).imaging
    (finding,) = scan.findings
    assert (scan.modality.value, finding.place, finding.state.value) == (modality, place, state)


@pytest.mark.parametrize(
    ("text", "removed", "positive"),
    [
        ("Left inguinal dissection followed, seven nodes being removed. Metastases were detected in two of the regional lymph nodes.", 7, 2),  # noqa: E501
        ("Inguinal lymphadenectomy: 2 of 7 nodes positive.", 7, 2),
        ("Axillary dissection: 2/7 lymph nodes with metastasis.", 7, 2),
        ("Neck dissection: none of 14 lymph nodes involved.", 14, 0),
        ("Neck dissection. Lymph nodes: 0/12.", 12, 0),
        ("Two of the seven regional lymph nodes contain metastasis.", 7, 2),
        ("Four reactive nodes.", 4, 0),
    ],
)  # fmt: skip
def test_nodes(text: str, removed: int, positive: int) -> None:
    counts = [(p.nodes_removed, p.nodes_positive) for p in case_of(text).procedures if p.nodes_removed is not None]
    assert counts == [(removed, positive)]


def test_positive_nodes_without_a_total_become_an_issue() -> None:
    reading = read_text("Metastases were detected in two lymph nodes.")
    assert all(p.nodes_positive is None for p in reading.case.procedures)
    assert "narrative.nodes.total" in {i.code for i in reading.issues}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Excision of the tumour. Margins were free.", "negative"),
        ("Excision of the tumour. Resection margins are involved.", "positive"),
        ("Wide excision with clear margins.", "negative"),
        ("Resection; the tumour invades the lateral resection margins.", "positive"),
        ("Resection (R0).", "negative"),
        ("Excision of the tumour. The deep margin is close.", "close"),
        ("Excision of the tumour.", "not_stated"),
    ],
)
def test_margins(text: str, status: str) -> None:
    assert case_of(text).procedures[0].margins.value == status


def test_invasion() -> None:
    case = case_of(
        "The tumour was excised; it was closely adherent to the skin and growing into the rectus femoris, sartorius and vastus medialis."  # noqa: E501
    )
    row = case.procedures[0]
    assert [x.value for x in row.invades] == ["muscle"]
    assert set(row.structures_invaded) == {"adherent to skin", "rectus femoris", "sartorius", "vastus medialis"}


@pytest.mark.parametrize(
    ("text", "count", "area"),
    [
        ("Mitoses: 12 per 2 mm2.", 12, 2),
        ("6 mitoses/mm2 in the tumour cells.", 6, 1),
        ("Mitotic rate is close to 30 per 10 HPF.", 30, 2),
        ("10-20 mitoses per 10 HPF.", 15, 2),
        ("Mitoses < 2 per 50 high-power fields.", 2, 10),
        ("There were 8 mitotic figures per 10 high power fields (field area 0.237 mm2).", 8, 2.37),
        ("5 mitoses per 10 HPF, field diameter 0.5 mm.", 5, 1.963),
    ],
)
def test_mitoses(text: str, count: float, area: float) -> None:
    reading = read_text(text)
    mitoses = reading.case.morphology.mitoses
    assert mitoses is not None
    assert mitoses.count == count
    assert mitoses.area_mm2 == pytest.approx(area, abs=0.001)
    flagged = "narrative.mitoses.field" in {i.code for i in reading.issues}
    assert flagged == (
        "field" not in text.replace("high-power fields", "").replace("high power fields", "") and "mm2" not in text
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mitoses are rare.", "rare"),
        ("Frequent mitoses.", "frequent"),
        ("No mitoses were seen in the tumour cells.", "none"),
    ],
)
def test_mitoses_in_words(text: str, words: str) -> None:
    mitoses = case_of(text).morphology.mitoses
    assert mitoses is not None
    assert mitoses.words == words
    assert mitoses.count is None


def test_morphology() -> None:
    m = case_of(
        "Microscopy: small, monomorphous round cells in nests and trabeculae, with salt-and-pepper chromatin, inconspicuous "  # noqa: E501
        "nucleoli, scant cytoplasm and nuclear moulding. Large areas of necrosis. There is no lymphovascular invasion. "  # noqa: E501
        "Crush artefact is not seen. Perineural invasion is not described. Congo red: no amyloid."
    ).morphology
    assert {a.value for a in m.architecture} == {"nested", "trabecular"}
    assert m.cell_size == "small"
    assert m.chromatin[0] == "salt_and_pepper"
    assert m.nucleoli == "inconspicuous"
    assert m.necrosis == "extensive"
    features = {f.feature.value: f.state.value for f in m.features}
    assert features == {
        "monomorphic_cells": "present", "scant_cytoplasm": "present", "nuclear_moulding": "present",
        "lymphovascular_invasion": "absent", "crush_artefact": "absent", "amyloid": "absent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("There is no necrosis in the tumour.", "absent"),
        ("Necrosis is focal.", "focal"),
        ("Necrosis is not seen in the tumour.", "absent"),
        ("Geographic necrosis.", "extensive"),
        ("Tumour necrosis present.", "present"),
    ],
)
def test_necrosis(text: str, value: str) -> None:
    assert str(case_of(f"Microscopy: {text}").morphology.necrosis) == value


@pytest.mark.parametrize(
    ("text", "test", "state"),
    [
        ("An EWSR1-FLI1 fusion was detected by RT-PCR.", "EWSR1-FLI1 fusion", "present"),
        ("FOXO1 rearrangement was not detected by FISH.", "FOXO1 rearrangement", "absent"),
        ("MCPyV DNA was detected by PCR.", "MCPyV DNA", "present"),
        ("TP53 mutation present.", "TP53 mutation", "present"),
        ("t(X;18)(p11;q11) was found.", "t(X;18)(p11;q11)", "present"),
    ],
)
def test_molecular(text: str, test: str, state: str) -> None:
    (row,) = case_of(text).molecular
    assert (row.test, row.state.value) == (test, state)


@pytest.mark.parametrize(
    "text", ["Molecular result withheld.", "EWSR1 rearrangement was not tested.", "FISH for EWSR1 is recommended."]
)
def test_no_molecular_result_is_made_up(text: str) -> None:
    assert case_of(text).molecular == ()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("External beam radiotherapy was given to the groin.", "radiotherapy"),
        ("She received platinum-etoposide.", "chemotherapy"),
        ("Avelumab was started.", "immunotherapy"),
        ("Treated with 177Lu-DOTATATE.", "prrt"),
        ("Everolimus was given.", "targeted"),
        ("Lanreotide was started.", "somatostatin_analogue"),
    ],
)
def test_treatment(text: str, kind: str) -> None:
    assert [t.kind.value for t in case_of(text).treatments] == [kind]


def test_planned_treatment_is_none() -> None:
    assert case_of("Axillary radiotherapy was planned.").treatments == ()


@pytest.mark.parametrize(
    ("text", "months", "status"),
    [
        ("At six months there is no recurrence.", 6, "no_evidence_of_disease"),
        ("Six months later, the CT scan revealed no residual inguinal pathology.", 6, "no_evidence_of_disease"),
        ("Death followed at 21 months.", 21, "dead"),
        ("At 10 months he is well.", 10, "alive"),
        ("She died of disease 14 months after surgery.", 14, "dead_of_disease"),
        ("At one year she has no evidence of disease.", 12, "no_evidence_of_disease"),
        ("Nineteen months later hepatic lesions reappeared.", 19, "recurrence"),
    ],
)
def test_follow_up(text: str, months: float, status: str) -> None:
    (row,) = case_of(text).follow_up
    assert (row.months, str(row.status)) == (months, status)


def test_claims_are_kept_apart_from_facts() -> None:
    case = case_of(
        "Case report\nA woman of 77 years had a mass of the thigh. CK20 was negative.\n\nDiscussion\n"
        "Merkel cell carcinoma is positive for CK20 and negative for TTF-1. The octreotide scan shows a sensitivity of 72-87 %. "  # noqa: E501
        "Survival at five years is 70 % in patients with no metastases. Ki-67 above 50 % is usual. Flushing occurs in carcinoids.\n"  # noqa: E501
    )
    assert {(m.marker, m.state.value) for m in case.markers} == {("ck20", "absent")}
    assert case.ki67 == ()
    assert case.presentation.symptoms == ()
    performance = next(c for c in case.claims if c.kind == "test_performance")
    assert (performance.subject, performance.low_percent, performance.high_percent) == ("octreotide_scan", 72, 87)
    prognosis = next(c for c in case.claims if c.kind == "prognosis")
    assert (prognosis.percent, prognosis.years) == (70, 5)


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("Diagnosis\nMerkel cell carcinoma of the left thigh.", "merkel_cell_carcinoma"),
        ("FINAL DIAGNOSIS: Ewing sarcoma.", "ewing_sarcoma"),
        ("Skin nodule of the arm. The findings are consistent with Merkel cell carcinoma.", "merkel_cell_carcinoma"),
        ("Subcutaneous mass of the thigh. Diagnosis: neuroendocrine tumour.", "primary_cutaneous_net"),
    ],
)
def test_working_diagnosis(text: str, entity: str) -> None:
    working = case_of(text).working_diagnosis
    assert working is not None
    assert working.entity == entity


def test_no_diagnosis_is_made_up() -> None:
    assert (
        case_of(
            "A mass. The clinical diagnosis was lipoma. Please rank Merkel cell carcinoma and lymphoma."
        ).working_diagnosis
        is None
    )


def test_specimens_are_kept_apart() -> None:
    case = case_of(
        "Pleural biopsy: keratin and synaptophysin positive, ER negative. Breast biopsy: ER positive, HER2 negative."
    )
    states = {(m.marker, m.specimen): m.state.value for m in case.markers}
    assert states == {
        ("pan_cytokeratin", "pleura"): "present", ("synaptophysin", "pleura"): "present", ("er", "pleura"): "absent",
        ("er", "breast"): "present", ("her2", "breast"): "absent",
    }  # fmt: skip
    assert {s.id for s in case.specimens} == {"pleura", "breast"}


def test_contradictions_become_issues() -> None:
    reading = read_text(
        "Immunohistochemistry: CK20 positive, TTF-1 negative.\n\nComment\nThe tumour is CK20 negative."
    )
    assert "narrative.contradiction" in {i.code for i in reading.issues}
    final = read_text("CK20 was negative on the first stain. On the final report CK20 is positive.")
    assert [(m.marker, m.state.value) for m in final.case.markers] == [("ck20", "present")]


def test_identifiers_are_listed_and_left_out() -> None:
    text = (
        "Name: Maria Ionescu. MRN: 12345678. Born on 03.04.1940. The patient MI, aged 77, from Craiova, Romania, was seen by "  # noqa: E501
        "Dr. Popescu at Emergency Hospital on 12/05/2017. A mass of the left thigh. Breast cancer treated in March 2012."  # noqa: E501
    )
    reading = read_text(text)
    kinds = {i.code.rpartition(".")[2] for i in reading.issues if i.code.startswith("narrative.identifier")}
    assert {"name", "date", "number", "place"} <= kinds
    record = reading.case.model_dump_json() + "".join(i.message for i in reading.issues)
    for secret in ("Maria", "Ionescu", "12345678", "Craiova", "Popescu", "2017", "2012", "1940"):
        assert secret not in record


@pytest.mark.parametrize(
    "text",
    [
        "Extensive investigation followed; no primary site came to light.",
        "Metastasis of unknown primary in the liver.",
        "A primary tumour was not found.",
        "Search for a primary: chest film, gastroscopy and CT normal.",
    ],
)
def test_a_search_without_a_primary(text: str) -> None:
    assert case_of(text).presentation.primary_found == "absent"


def test_nothing_is_said_of_a_primary_that_was_not_searched_for() -> None:
    assert case_of("No pulmonary primary mentioned.").presentation.primary_found is None


def test_an_unknown_stain_is_pointed_out() -> None:
    reading = read_text("CK20 positive, CD388 positive, TTF-1 negative.")
    assert [n.text for n in reading.not_understood] == ["CD388"]
    assert {m.marker for m in reading.case.markers} == {"ck20", "ttf1"}


def test_a_sentence_of_stains_without_results_is_pointed_out() -> None:
    reading = read_text("Immunohistochemistry\nA panel of CK20, TTF-1 and CD56 was applied.")
    assert len(reading.not_understood) == 1
    assert reading.case.markers == ()


def test_a_value_that_cannot_be_right_is_left_out_and_pointed_out() -> None:
    reading = read_text("A man of 70 with a lump growing for 200 years. CK20 was negative.")
    assert reading.case.presentation.duration_months is None
    assert reading.case.patient.age_years == 70
    assert [m.marker for m in reading.case.markers] == ["ck20"]
    assert "narrative.left_out" in {i.code for i in reading.issues}
    assert not [f for f in reading.facts if f.path == "presentation.duration_months"]


def test_facts_follow_when_a_record_before_them_is_left_out() -> None:
    page = make_page("one two three")
    book = Notebook(page)
    for word, (start, end) in (("a", (0, 3)), ("b", (4, 7)), ("c", (8, 13))):
        book.add("treatments", {"kind": word}, {"kind": (start, end)})
    book.leave_out(("treatments", 1, "kind"), "not known")
    assert [row["kind"] for row in book.case["treatments"]] == ["a", "c"]
    assert [(f.path, f.text) for f in book.facts] == [("treatments[0].kind", "one"), ("treatments[1].kind", "three")]
