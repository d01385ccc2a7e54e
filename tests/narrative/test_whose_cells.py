"""Whose cells a stain speaks of, where the tissue is from, and figures written unusually."""

from __future__ import annotations

import re

import pytest

from kulchitsky.case.record import Case
from kulchitsky.case.vocabulary import SpecimenKind, State
from kulchitsky.narrative.read_text import read_text


def read(text: str) -> Case:
    return read_text(text).case


def states(case: Case) -> dict[str, State]:
    return {m.marker: m.state for m in case.markers}


@pytest.mark.parametrize(
    ("sentence", "present", "not_there"),
    [
        ("Synaptophysin is positive; S100 highlights sustentacular cells around the nests.", "synaptophysin", "s100"),
        ("Tumour cells are CK20 positive. The squamous component: p63 (+), CK5/6 (+).", "ck20", "ck5_6"),
        ("CD20 is positive. A rim of small T cells is CD3 positive.", "cd20", "cd3"),
        ("Chromogranin is positive; CD31 highlights vessels only.", "chromogranin_a", ""),
    ],
)
def test_other_cells_are_not_the_tumour(sentence: str, present: str, not_there: str) -> None:
    found = states(read(f"Biopsy of the thigh. {sentence}"))
    assert found[present] is State.PRESENT
    assert found.get(not_there) is not State.PRESENT
    assert found.get("cd31") is not State.PRESENT


def test_an_earlier_tumour_keeps_its_own_stains() -> None:
    case = read(
        "Scalp nodule, excision. History: carcinoma of the left breast in 2004 (ER positive). "
        "Immunohistochemistry: CK20 positive, synaptophysin positive, TTF-1 negative."
    )
    kinds = {s.id: s.kind for s in case.specimens}
    receptor = next(m for m in case.markers if m.marker == "er")
    assert kinds[receptor.specimen] is SpecimenKind.OTHER_TUMOUR


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("Ulcerated tumour of the mid-thoracic oesophagus; biopsy shows small cells.", "oesophagus"),
        ("Ear helix, male renal transplant recipient, crusted nodule of the skin. Excision.", "skin"),
        ("A mobile nodule over the sternum. Intradermal proliferation, excised.", "skin"),
        ("An adrenal mass; bronchoscopy showed a tumour of the bronchus. Adrenal biopsy: small cells.", "adrenal"),
        (
            "A carcinoid had been resected from the left lower lobe nine years earlier. Now a papule of the scalp. "
            "Dermal nodule.",
            "skin",
        ),
        ("Middle ear, left: retrotympanic mass, biopsy.", "head_and_neck"),
        ("Fine needle aspiration of a neck node; a nodule in the right thyroid lobe was seen.", "lymph_node"),
    ],
)
def test_where_the_tissue_is_from(text: str, setting: str) -> None:
    found = read(text).presentation.setting
    assert found is not None
    assert found.value == setting


@pytest.mark.parametrize(
    ("words", "percent"),
    [("Ki-67 was counted at twelve percent.", 12), ("MIB-1 approx. 4%.", 4), ("Ki-67 seventy per cent.", 70)],
)
def test_figures_of_an_index(words: str, percent: float) -> None:
    assert [k.percent for k in read(f"Liver biopsy. Synaptophysin positive. {words}").ki67] == [percent]


def test_scores_zero_and_brackets() -> None:
    found = states(
        read(
            "Core biopsy of the breast. HER2 1+. CK20 0, TTF-1 0. Neuroendocrine markers all positive "
            "(chromogranin A, synaptophysin, INSM1)."
        )
    )
    assert {found[m] for m in ("her2", "ck20", "ttf1")} == {State.ABSENT}
    assert {found[m] for m in ("chromogranin_a", "synaptophysin", "insm1")} == {State.PRESENT}


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("Swelling for 2 years in a 50-year-old woman.", 50),
        ("A mass noticed three years earlier by this 55-year-old bus driver (male).", 55),
        ("A retired nurse (f, 67) with a nodule.", 67),
        ("The patient, 45, male, has several masses.", 45),
    ],
)
def test_a_time_is_no_age(text: str, age: float) -> None:
    assert read(text).patient.age_years == age


@pytest.mark.parametrize(
    ("text", "age", "sex"),
    [
        ("Clinical details: M 67. Obstruction.", 67, "male"),
        ("Chippings, 40 g. 75/M, haematuria.", 75, "male"),
        ("Core biopsy of the breast. F 74. B5b.", 74, "female"),
        ("Excision of an eyelid lesion. F71. Slow-growing.", 71, "female"),
        ("Node in the groin. Now 52 yrs; male.", 52, "male"),
        ("Omental biopsy. Pat: 22 y, male.", 22, "male"),
        ("Patient: 77 y/o F with a mass.", 77, "female"),
    ],
)
def test_age_and_sex_in_shorthand(text: str, age: float, sex: str) -> None:
    patient = read(text).patient
    assert (patient.age_years, patient.sex) == (age, sex)


def test_stage_letters_are_no_sex() -> None:
    patient = read("Nephrectomy, pT2 N1 M1. Field F3. CD34 negative.").patient
    assert (patient.age_years, patient.sex) == (None, "unknown")


TABLE = """Skin of the neck, punch biopsy.
IHC RESULTS        SMALL CELL TUMOR    IN SITU SCC
CK20               + (dot)             -
Chromogranin       +                   -
p40                -                   +
TTF-1              0                   0
"""


@pytest.mark.parametrize("gap", ["   ", "\t", " | "])
def test_a_table_with_a_column_for_each_tissue(gap: str) -> None:
    lines = TABLE.splitlines()
    table = "\n".join([lines[0], *(gap.join(re.split(r" {3,}", line)) for line in lines[1:])])
    found = states(read(table))
    assert found == {
        "ck20": State.PRESENT,
        "chromogranin_a": State.PRESENT,
        "p40": State.ABSENT,
        "ttf1": State.ABSENT,
    }


def test_a_table_of_results_and_details_is_left_alone() -> None:
    found = read(
        "Stain | Result | Intensity\nCK20 | positive | strong\nTTF-1 | negative | -\nCD56 | positive | weak\n"
    )
    assert states(found) == {"ck20": State.PRESENT, "ttf1": State.ABSENT, "cd56": State.PRESENT}


def test_labelled_parts_of_another_lineage_stand_beside_the_neuroendocrine_one() -> None:
    case = read(
        "Leg tumour. Small cells: CK20+, synaptophysin+. The spindle cell component: desmin+, myogenin+. "
        "TTF-1 negative."
    )
    kinds = {s.id: s.kind for s in case.specimens}
    where = {m.marker: kinds.get(m.specimen) for m in case.markers}
    assert where["desmin"] is SpecimenKind.BACKGROUND
    assert where["synaptophysin"] is not SpecimenKind.BACKGROUND
    assert where["ttf1"] is not SpecimenKind.BACKGROUND


def test_parts_without_a_neuroendocrine_one_are_the_tumour() -> None:
    case = read("Thigh mass. Spindle cell component: TLE1 +, BCL2 +. Epithelial component: EMA +, CK7 +.")
    assert not case.specimens
    assert set(states(case)) == {"tle1", "bcl2", "ema", "ck7"}
