"""The reader as a whole."""

from __future__ import annotations

from kulchitsky.narrative.read_text import read_text


def test_facts_carry_the_place_they_were_read_at() -> None:
    text = "A woman of 77 years. CK20 was negative; synaptophysin was strongly positive."
    reading = read_text(text)
    assert {(m.marker, m.state.value) for m in reading.case.markers} == {
        ("ck20", "absent"),
        ("synaptophysin", "present"),
    }
    for fact in reading.facts:
        assert text[fact.start : fact.end] == fact.text
