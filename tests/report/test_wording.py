"""Numbers as printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.report import wording as w


@given(st.floats(0, 1))
def test_a_share_is_never_printed_as_certain_unless_it_is(value: float) -> None:
    text = w.share(value).replace(w.PERCENT, "")
    assert (text == "100") == (value == 1)
    assert (text == "0") == (value == 0)
    if text not in ("<1", ">99"):
        assert abs(float(text) - 100 * value) <= 0.5 + 1e-9


@given(st.floats(-9, 9))
def test_a_log_ratio_keeps_its_sign(value: float) -> None:
    text = w.log_ratio(value)
    assert abs(float(text.replace(w.MINUS, "-")) - value) <= 0.005 + 1e-9
    if text != "0.00":
        assert text.startswith(w.MINUS if value < 0 else "+")


@pytest.mark.parametrize(
    ("value", "text"),
    [(9387, "9\N{NO-BREAK SPACE}387"), (0.777, "0.777"), (12.45, "12.45"), (-3, "−3"), (1e-7, "1e−07"), (77.0, "77")],
)
def test_numbers(value: float, text: str) -> None:
    assert w.number(value) == text


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b/c.svs", "c.svs"), (r"C:\Users\jane\c.svs", "c.svs"), ("c.svs", "c.svs"), ("/c.svs/", "c.svs")],
)
def test_only_the_file_name_is_printed(path: str, name: str) -> None:
    assert w.file_name(path) == name


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_lists_in_prose(items: list[str], text: str) -> None:
    assert w.listed(items) == text


def test_a_sentence_gets_one_stop() -> None:
    assert [w.stop(t) for t in ("a", "a.", "a?", " a ", "")] == ["a.", "a.", "a?", "a.", ""]
