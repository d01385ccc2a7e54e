"""What comes before any ranking: that the text tells of no tumour, or of one that the list doesn't hold."""

from __future__ import annotations

import pytest

from kulchitsky.case.issue import Level
from kulchitsky.narrative.read_text import read_text

POLYP = "Colon, sigmoid, polypectomy. 58 F. Polyp 8 mm. Tubular adenoma with low grade dysplasia. No malignancy."
GASTRITIS = (
    "Stomach, antrum, biopsies x3. Mild chronic gastritis. No malignancy. Chromogranin highlights normal G cells."
)
ADENOCARCINOMA = "Sigmoid colon, resection. Moderately differentiated adenocarcinoma, 4.5 cm. CDX2 positive."


def serious(text: str) -> set[str]:
    return {i.code for i in read_text(text).issues if i.level is Level.SERIOUS}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (POLYP, "narrative.no_tumour"),
        (GASTRITIS, "narrative.no_tumour"),
        (ADENOCARCINOMA, "narrative.outside_the_list"),
        ("The train was late by four minutes, and the weather was fine.", "narrative.nothing_read"),
        ("", "narrative.nothing_read"),
    ],
)
def test_a_text_without_a_premise_says_so(text: str, code: str) -> None:
    assert serious(text) == {code}


@pytest.mark.parametrize(
    "text",
    [
        "Skin, left calf, excision. Malignant melanoma, Breslow 2.1 mm. S100, SOX10 and Melan-A positive.",
        "Sigmoid colon. Large cell neuroendocrine carcinoma arising in an adenoma. Synaptophysin positive.",
        "Left upper lobe. Small cell carcinoma; adenocarcinoma is excluded by the stains. TTF-1 positive.",
        "Liver biopsy. Outside diagnosis: adenocarcinoma. Our stains: synaptophysin and chromogranin positive.",
        "Left axillary node. Sheets of epithelioid cells. S100 +, SOX10 +. CD56 negative.",
        "Pancreas, tail: trabecular, gyriform; synaptophysin +, chromogranin +. Ki-67 3 %.",
    ],
)
def test_a_report_of_a_listed_tumour_raises_nothing_serious(text: str) -> None:
    assert serious(text) == set()
