"""The public API is a list, and this test holds it: a name leaves it only with a deprecation."""

from __future__ import annotations

import kulchitsky

NAMES = [
    "__version__",
    "case_schema",
    "check_case",
    "read_case",
    "run_cohort",
    "work_up",
    "write_template",
]


def test_public_names() -> None:
    assert sorted(kulchitsky.__all__) == NAMES


def test_every_public_name_is_there_and_documented() -> None:
    for name in NAMES:
        value = getattr(kulchitsky, name)
        assert name == "__version__" or value.__doc__
