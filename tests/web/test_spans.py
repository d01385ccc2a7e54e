"""A fact is shown in the sentence it stands in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.web.spans import LONGEST_SIDE, sentence_around

TEXT = "CD56 is positive. Ki-67 is 12.5 % (hot spot). No necrosis\nMargins free"


def around(words: str) -> str:
    start = TEXT.index(words)
    return "".join(sentence_around(TEXT, start, start + len(words)))


def test_the_sentence_ends_at_full_stops_and_line_ends_not_at_decimal_points() -> None:
    assert around("CD56") == "CD56 is positive."
    assert around("Ki-67") == around("12.5 %") == "Ki-67 is 12.5 % (hot spot)."
    assert around("necrosis") == "No necrosis"
    assert around("free") == "Margins free"


def test_a_wrapped_line_does_not_end_a_sentence() -> None:
    text = "Clinical history\nA lump has been growing\nmoderately since, CA\n125 normal.\n\nImaging"
    start = text.index("growing")
    assert "".join(sentence_around(text, start, start + 7)).startswith("A lump")
    assert "".join(sentence_around(text, start, start + 7)).endswith("125 normal.")


@given(text=st.text(max_size=300), start=st.integers(-5, 310), length=st.integers(0, 40))
def test_the_words_are_those_of_the_text(text: str, start: int, length: int) -> None:
    before, words, after = sentence_around(text, start, start + length)
    assert words == text[max(0, start) : max(0, min(len(text), start + length))]
    assert (before + words + after).strip() in text or "…" in before + after


def test_a_text_without_sentences_is_cut() -> None:
    before, words, after = sentence_around("x" * 5000, 2500, 2510)
    assert words == "x" * 10
    assert len(before) <= LONGEST_SIDE + 2
    assert len(after) <= LONGEST_SIDE + 2
