"""Shares and ratios are said no more precisely than they are known, and never say less than they should."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.knowledge.base import KnowledgeBase
from kulchitsky.reasoning.challenge import challenge
from kulchitsky.reasoning.differential import differential
from kulchitsky.reasoning.plain_figures import share_words, times_words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (9.7e-8, "fewer than 1 in 1,000"),
        (0.0013, "about 1 in 1,000"),
        (0.015, "about 1 in 50"),
        (0.05, "about 1 in 20"),
        (0.13, "about 15 %"),
        (0.72, "about 70 %"),
        (0.99, "nearly all"),
    ],
)
def test_share(share: float, words: str) -> None:
    assert share_words(share) == words


def test_share_of_something() -> None:
    assert share_words(0.0001, "cases") == "fewer than 1 in 1,000 cases"
    assert share_words(0.31, "cases") == "about 30 % of cases"
    assert share_words(0.99, "cases") == "nearly all cases"


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (1.6, "about one and a half times"),
        (2.1, "about twice"),
        (12.4, "about 12 times"),
        (23.0, "about 25 times"),
        (340.0, "about 300 times"),
        (48213.0, "more than 1,000 times"),
    ],
)
def test_times(ratio: float, words: str) -> None:
    assert times_words(ratio) == words


def _figure(words: str) -> float:
    return float(re.sub(r"[^0-9.]", "", words.split(" in ")[-1].replace("1,000", "1000")))


@given(st.floats(min_value=0.001, max_value=0.97))
def test_share_is_close(share: float) -> None:
    words = share_words(share)
    said = 1 / _figure(words) if " in " in words else _figure(words) / 100
    assert said / 1.7 < share < said * 1.7


@given(st.floats(min_value=2.5, max_value=1000.0, exclude_max=True))
def test_ratio_is_close(ratio: float) -> None:
    said = _figure(times_words(ratio))
    assert said / 1.5 < ratio < said * 1.5


def test_sentences_show_no_exponents_or_decimals(knowledge: KnowledgeBase, case_of: Any) -> None:
    row = {"setting": "skin", "positive": ["ck20", "synaptophysin"], "negative": ["ttf1"], "ki67": 65, "age": 79}
    case = case_of({**row, "necrosis": "extensive", "cell_size": "small"})
    said = [c.sentence for c in challenge(case, knowledge, "primary_cutaneous_net").contradictions]
    said += [w.sentence for w in differential(case, knowledge, draws=0).weights]
    assert said
    for sentence in said:
        assert not re.search(r"\de[-+]?\d|\b\d+\.\d|probability", sentence), sentence
