"""Reports as departments write them: several organs and parts, forms, results taken back, tumour known elsewhere."""

from __future__ import annotations

import pytest

from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import SpecimenKind, State
from kulchitsky.narrative.read_text import read_text


def read(text: str) -> Case:
    return read_text(text).case


def states(case: Case) -> dict[str, State]:
    return {m.marker: m.state for m in case.markers}


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("Whipple specimen with pancreas, duodenum, ampulla: tumour centred in the ampulla. CgA +.", "small_bowel"),
        ("Liver biopsy, known ileal NET. CgA+.", "liver"),
        ("History of pancreatic NET. Now lung nodule, right lower lobe, wedge resection. CgA+.", "lung"),
        ("Total gastrectomy with splenectomy and distal pancreatectomy. 7 cm tumour of the gastric body.", "stomach"),
        ("Bone, left femur, biopsy: metastatic neuroendocrine tumour, lung primary suspected.", "bone"),
        ("Pelvic exenteration: bladder, uterus, rectum. The tumour arises in the rectum.", "colorectum"),
        ("Cystoprostatectomy. The tumour is centred on the prostate and invades the bladder neck.", "prostate"),
        ("Extended right hemicolectomy: tumour in the caecum 5 cm; ileum and appendix unremarkable.", "colorectum"),
        (
            "Resection of retroperitoneal tumour with left nephrectomy and adrenalectomy. Kidney normal.",
            "retroperitoneum",
        ),
        ("CT: 5 cm mass of the pancreatic body; hepatic metastases.\nBiopsied lesion: liver segment IVb.", "liver"),
        ("Outside diagnosis: carcinoma, favour metastasis from lung. Parotid: 3 cm mass, excised.", "head_and_neck"),
        ("Man, breast skin near the nipple, nodule 1.5 cm. Dermal trabeculae. CgA +.", "skin"),
        (
            "Source: EBUS-TBNA, station 7 lymph node\nClinical: 72M, right hilar mass\nSmears: small cells.",
            "lymph_node",
        ),
    ],
)
def test_where_the_tumour_sits_among_organs_named(text: str, setting: str) -> None:
    found = read(text).presentation.setting
    assert found is not None
    assert found.value == setting


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("Polypoid mucosal specimen 1,4 x 1,1 x 0,5 cm with a submucosal nodule of 0,7 cm.", 0.7),
        ("Kidney 12 cm, adrenal 5 cm and, between them, a 6.8 cm haemorrhagic mass. Resection.", 6.8),
        ("Hemicolectomy with 240 mm of terminal ileum. 95 mm from the ileal margin there is a 22 mm tumour.", 2.2),
        ("Rectum, polyp: neuroendocrine tumour, G1, 0.5 cm, extending to deep margin.", 0.5),
        ("Right groin node, core biopsy. PET avid node 28 mm.", 2.8),
    ],
)
def test_the_tumour_is_measured_not_the_organ(text: str, size: float) -> None:
    found = read(text).presentation.size
    assert found is not None
    assert found.greatest_cm == pytest.approx(size)


@pytest.mark.parametrize("words", ["known ileal NET (resected 2019)", "Hx breast ca 2009", "rectal cancer 3 yrs ago"])
def test_a_tumour_known_from_before_in_shorthand(words: str) -> None:
    assert words.split()[1] in read(f"Liver biopsy, {words}. CgA+.").presentation.known_other_tumour


PARTS = """Part A: SIGMOID COLON, SEGMENTAL RESECTION
Part B: LIVER, SEGMENT 3, WEDGE

DIAGNOSIS
A. Large cell neuroendocrine carcinoma arising in a tubulovillous adenoma, 5.5 cm.
B. Metastatic large cell neuroendocrine carcinoma, 1.1 cm.

IMMUNOHISTOCHEMISTRY (block A4)
Neuroendocrine carcinoma: synaptophysin positive, CK20 negative.
Adenoma component: CK20 positive, synaptophysin negative.
"""


def test_parts_metastasis_and_component_are_kept_apart() -> None:
    case = read(PARTS)
    kinds = {s.id: s.kind for s in case.specimens}
    assert kinds == {"B": SpecimenKind.METASTASIS, "adenoma_component": SpecimenKind.BACKGROUND}
    own = {m.marker: m.state for m in case.markers if not m.specimen}
    assert own == {"synaptophysin": State.PRESENT, "ck20": State.ABSENT}
    assert case.presentation.skin_over is None


def test_a_diagnosis_named_for_another_organ_follows_the_tissue() -> None:
    working = read(PARTS).working_diagnosis
    assert working is not None
    assert working.entity == "nec_extrapulmonary"


def test_a_result_taken_back_is_not_read() -> None:
    case = read("Liver core. TTF-1 positive, OTP positive. The 'TTF-1 negative' in Addendum 1 was a clerical error.")
    assert states(case) == {"ttf1": State.PRESENT, "otp": State.PRESENT}


def test_receptor_scores() -> None:
    found = states(read("Breast core. ER Quick score 8, PR Allred score 2, HER2 IHC score 0. GATA3 pos."))
    assert found == {"er": State.PRESENT, "pr": State.ABSENT, "her2": State.ABSENT, "gata3": State.PRESENT}
    assert states(read("Breast core. ER 7/8, PR 0/8."))["pr"] is State.ABSENT


def test_a_wrapped_word_is_no_heading() -> None:
    case = read(
        "Pleural fluid. Mesothelial cells and lymphocytes in the\nbackground.\nCB: TTF1 (+), CD56 (+), p40 (-)."
    )
    assert states(case) == {"ttf1": State.PRESENT, "cd56": State.PRESENT, "p40": State.ABSENT}


def test_a_node_biopsy_is_placed_by_the_node_and_an_old_tumour_gives_no_duration() -> None:
    seen = read(
        "AXILLARY NODE, LEFT, CORE BX (patient 76 F, breast carcinoma 8 yrs ago). Metastatic carcinoma. ER 95%."
    ).presentation
    assert seen.site is not None
    assert (seen.setting, seen.site.text, seen.site.region) == ("lymph_node", "axillary", "axilla")
    assert seen.duration_months is None
