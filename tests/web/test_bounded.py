"""What is kept in memory stays within its bytes, and what is in use stays."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kulchitsky.web.bounded import Bounded

STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "get", "drop"]), st.integers(0, 8), st.integers(0, 60)), max_size=60
)


@given(steps=STEPS)
def test_the_budget_holds_and_the_newest_stays(steps: list[tuple[str, int, int]]) -> None:
    kept: Bounded[int, bytes] = Bounded(100, len)
    for what, key, size in steps:
        if what == "put":
            kept.put(key, bytes(size))
            assert kept.get(key) == bytes(size)
        elif what == "get":
            kept.get(key)
        else:
            kept.drop(key)
            assert key not in kept
        assert kept.nbytes == sum(len(value) for key in kept if (value := kept.get(key)) is not None)
        assert kept.nbytes <= 100 or len(kept) == 1


def test_what_was_unused_longest_goes_first() -> None:
    kept: Bounded[str, bytes] = Bounded(20, len)
    kept.put("a", bytes(10))
    kept.put("b", bytes(10))
    kept.get("a")
    assert kept.put("c", bytes(10)) == [bytes(10)]
    assert list(kept) == ["a", "c"]


def test_what_was_used_a_moment_ago_is_not_dropped() -> None:
    kept: Bounded[str, bytes] = Bounded(5, len, rest_s=60)
    for key in "abc":
        assert kept.put(key, bytes(10)) == []
    assert len(kept) == 3
