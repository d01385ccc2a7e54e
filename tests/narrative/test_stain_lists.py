"""Lists of stains made up with their truth: what is written down must be what is read back."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulchitsky.narrative.read_text import read_text

NAMES = {
    "CK20": "ck20", "CK7": "ck7", "TTF-1": "ttf1", "synaptophysin": "synaptophysin", "chromogranin A": "chromogranin_a",  # noqa: E501
    "CD56": "cd56", "S100": "s100", "HMB-45": "hmb45", "CD45": "cd45", "CD99": "cd99", "desmin": "desmin", "INSM1": "insm1",  # noqa: E501
    "Melan-A": "melan_a", "p63": "p63", "GATA3": "gata3", "neurofilament": "neurofilament", "CDX2": "cdx2", "EMA": "ema",  # noqa: E501
}  # fmt: skip

POSITIVE = ("positive for {}", "immunoreactive for {}", "strongly positive for {}")
NEGATIVE = ("negative for {}", "non-reactive for {}", "did not stain for {}")
AFTER = {"present": ("{} were positive", "{} are expressed"), "absent": ("{} were negative", "{} were not expressed")}
HEADED = {
    "present": ("Positive: {}", "Expressed: {}"),
    "absent": ("Negative: {}", "Not expressed: {}", "No staining: {}"),
}
SIGNS = {"present": ("{} (+)", "{} +", "{}: positive"), "absent": ("{} (-)", "{}: negative", "{} neg")}

names = st.lists(st.sampled_from(sorted(NAMES)), min_size=2, max_size=8, unique=True)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def states_of(text: str) -> dict[str, str]:
    return {m.marker: m.state.value for m in read_text(text).case.markers}


def listed(row: list[str], last: str) -> str:
    return row[0] if len(row) == 1 else f"{', '.join(row[:-1])} {last} {row[-1]}"


def split(row: list[str], cut: int) -> tuple[list[str], list[str], dict[str, str]]:
    at = max(1, min(len(row) - 1, cut))
    first, second = row[:at], row[at:]
    truth = {NAMES[n]: "present" for n in first} | {NAMES[n]: "absent" for n in second}
    return first, second, truth


@relaxed
@given(names, st.integers(1, 7), st.sampled_from(POSITIVE), st.sampled_from(NEGATIVE), st.sampled_from(("and", "or")))
def test_result_before_the_list(row: list[str], cut: int, positive: str, negative: str, last: str) -> None:
    first, second, truth = split(row, cut)
    yes, no = positive.format(listed(first, "and")), negative.format(listed(second, last))
    verb = "" if negative.startswith("did") else "were "
    assert states_of(f"The tumour cells were {yes}; they {verb}{no}.") == truth
    assert states_of(f"The tumour cells were {yes}. They {verb}{no}.") == truth


@relaxed
@given(names, st.integers(1, 7), st.data())
def test_result_after_the_list(row: list[str], cut: int, data: st.DataObject) -> None:
    first, second, truth = split(row, cut)
    yes = data.draw(st.sampled_from(AFTER["present"])).format(listed(first, "and"))
    no = data.draw(st.sampled_from(AFTER["absent"])).format(listed(second, "and"))
    between = data.draw(st.sampled_from(("; ", ", whereas ", ". ", ", but ")))
    assert states_of(f"{yes}{between}{no}.") == truth


@relaxed
@given(names, st.integers(1, 7), st.data())
def test_headed_lists(row: list[str], cut: int, data: st.DataObject) -> None:
    first, second, truth = split(row, cut)
    glue = data.draw(st.sampled_from((", ", "; ")))
    yes = data.draw(st.sampled_from(HEADED["present"])).format(glue.join(first))
    no = data.draw(st.sampled_from(HEADED["absent"])).format(glue.join(second))
    assert states_of(f"{yes}. {no}.") == truth
    assert states_of(f"{no}\n{yes}\n") == truth


@relaxed
@given(names, st.integers(1, 7), st.data())
def test_signs_one_by_one(row: list[str], cut: int, data: st.DataObject) -> None:
    first, second, truth = split(row, cut)
    words = [data.draw(st.sampled_from(SIGNS["present"])).format(n) for n in first]
    words += [data.draw(st.sampled_from(SIGNS["absent"])).format(n) for n in second]
    glue = data.draw(st.sampled_from((", ", "; ", "\n- ")))
    assert states_of(("- " if "\n" in glue else "") + glue.join(words)) == truth


@relaxed
@given(names)
def test_negation_round_trip(row: list[str]) -> None:
    """The same list, affirmed and denied, gives opposite states and nothing else."""
    text = listed(row, "and")
    yes = states_of(f"The tumour stained for {text}.")
    no = states_of(f"The tumour did not stain for {text}.")
    assert yes == {NAMES[n]: "present" for n in row}
    assert no == {NAMES[n]: "absent" for n in row}


@relaxed
@given(names, st.permutations(("table", "bullets", "lines")))
def test_layout_does_not_matter(row: list[str], layouts: list[str]) -> None:
    results = ["positive" if i % 2 else "negative" for i in range(len(row))]
    truth = {NAMES[n]: "present" if r == "positive" else "absent" for n, r in zip(row, results, strict=True)}
    rows = list(zip(row, results, strict=True))
    written = {
        "table": "| Stain | Result |\n|---|---|\n" + "\n".join(f"| {n} | {r} |" for n, r in rows),
        "bullets": "Immunohistochemistry:\n" + "\n".join(f"* {n}: {r}" for n, r in rows),
        "lines": "IMMUNOHISTOCHEMISTRY\n" + "\n".join(f"{n}    {r}" for n, r in rows),
    }
    assert states_of(written[layouts[0]]) == truth
