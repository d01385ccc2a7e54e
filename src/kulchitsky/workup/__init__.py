"""The use cases, one function a file: the only place where floors meet.

Nothing heavy is imported until the function that needs it is asked for, so that ``kulchitsky --help`` stays quick.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import lazy_loader

_FUNCTIONS = {
    "challenge": ["challenge"],
    "count_slide": ["count_slide"],
    "differential": ["differential"],
    "evidence": ["evidence_for", "evidence_coverage"],
    "calendar": ["follow_up_calendar"],
    "gather": ["gather"],
    "grade": ["grade"],
    "next_tests": ["next_tests"],
    "plan": ["plan"],
    "read_case": ["read_case", "check_case", "resolve_ids"],
    "read_report": ["read_report"],
    "read_stain": ["read_stain"],
    "registry_add": ["registry_add"],
    "registry_change": ["registry_edit", "registry_amend", "registry_remove", "registry_restore", "registry_sign"],
    "registry_cohort": ["registry_cohort"],
    "registry_export": ["registry_export"],
    "registry_import": ["registry_import"],
    "registry_list": ["registry_list"],
    "registry_show": ["registry_show"],
    "registry_similar": ["registry_similar"],
    "registry_survival": ["registry_survival"],
    "registry_verify": ["registry_verify"],
    "cohort_plan": ["plan_cohort"],
    "run_cohort": ["run_cohort"],
    "stage": ["stage"],
    "synth_slide": ["synth_slide"],
    "template": ["write_template", "case_schema"],
    "virtual_double_stain": ["virtual_double_stain"],
    "work_up": ["work_up"],
}

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, submod_attrs=_FUNCTIONS)


class _UseCases(ModuleType):
    """A file and the function in it share a name: the name means the function, whoever imported the file first."""

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType) and name in _FUNCTIONS.get(name, ()):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _UseCases

if TYPE_CHECKING:
    from kulchitsky.workup.calendar import follow_up_calendar
    from kulchitsky.workup.challenge import challenge
    from kulchitsky.workup.cohort_plan import plan_cohort
    from kulchitsky.workup.count_slide import count_slide
    from kulchitsky.workup.differential import differential
    from kulchitsky.workup.evidence import evidence_coverage, evidence_for
    from kulchitsky.workup.gather import gather
    from kulchitsky.workup.grade import grade
    from kulchitsky.workup.next_tests import next_tests
    from kulchitsky.workup.plan import plan
    from kulchitsky.workup.read_case import check_case, read_case, resolve_ids
    from kulchitsky.workup.read_report import read_report
    from kulchitsky.workup.read_stain import read_stain
    from kulchitsky.workup.registry_add import registry_add
    from kulchitsky.workup.registry_change import (
        registry_amend,
        registry_edit,
        registry_remove,
        registry_restore,
        registry_sign,
    )
    from kulchitsky.workup.registry_cohort import registry_cohort
    from kulchitsky.workup.registry_export import registry_export
    from kulchitsky.workup.registry_import import registry_import
    from kulchitsky.workup.registry_list import registry_list
    from kulchitsky.workup.registry_show import registry_show
    from kulchitsky.workup.registry_similar import registry_similar
    from kulchitsky.workup.registry_survival import registry_survival
    from kulchitsky.workup.registry_verify import registry_verify
    from kulchitsky.workup.run_cohort import run_cohort
    from kulchitsky.workup.stage import stage
    from kulchitsky.workup.synth_slide import synth_slide
    from kulchitsky.workup.template import case_schema, write_template
    from kulchitsky.workup.virtual_double_stain import virtual_double_stain
    from kulchitsky.workup.work_up import work_up

    __all__ = [
        "case_schema",
        "challenge",
        "check_case",
        "count_slide",
        "differential",
        "evidence_coverage",
        "evidence_for",
        "follow_up_calendar",
        "gather",
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
        "resolve_ids",
        "run_cohort",
        "stage",
        "synth_slide",
        "virtual_double_stain",
        "work_up",
        "write_template",
    ]
