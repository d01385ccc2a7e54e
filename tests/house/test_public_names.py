"""The public API is a list, and this test holds it: a name leaves it only with a deprecation."""

from __future__ import annotations

import kulchitsky

NAMES = [
    "__version__",
    "case_schema",
    "challenge",
    "check_case",
    "count_slide",
    "differential",
    "evidence_coverage",
    "evidence_for",
    "follow_up_calendar",
    "grade",
    "next_tests",
    "plan",
    "plan_cohort",
    "read_case",
    "read_report",
    "read_stain",
    "registry_add",
    "registry_amend",
    "registry_cohort",
    "registry_edit",
    "registry_export",
    "registry_import",
    "registry_list",
    "registry_remove",
    "registry_restore",
    "registry_show",
    "registry_sign",
    "registry_similar",
    "registry_survival",
    "registry_verify",
    "run_cohort",
    "stage",
    "synth_slide",
    "virtual_double_stain",
    "work_up",
    "write_case",
    "write_template",
]


def test_public_names() -> None:
    assert sorted(kulchitsky.__all__) == NAMES


def test_every_public_name_is_there_and_documented() -> None:
    for name in NAMES:
        value = getattr(kulchitsky, name)
        assert name == "__version__" or value.__doc__
