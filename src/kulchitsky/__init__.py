"""kulchitsky: a second reader for neuroendocrine tumours.

It counts the slide, weighs the stains, and shows its sources. Research and education use: not a medical device.

Every command has its function here, under the same name; each is loaded when first used.

>>> import kulchitsky
>>> kulchitsky.case_schema()["title"]
'kulchitsky case'
"""

from typing import TYPE_CHECKING

import lazy_loader

from kulchitsky._version import __version__ as __version__

_USE_CASES = [
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
    "write_template",
]

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"workup": _USE_CASES, "case.yaml_file": ["write_case"]}
)
__all__ = sorted([*__all__, "__version__"])

if TYPE_CHECKING:
    from kulchitsky.case.yaml_file import write_case
    from kulchitsky.workup import (
        case_schema,
        challenge,
        check_case,
        count_slide,
        differential,
        evidence_coverage,
        evidence_for,
        follow_up_calendar,
        grade,
        next_tests,
        plan,
        plan_cohort,
        read_case,
        read_report,
        read_stain,
        registry_add,
        registry_amend,
        registry_cohort,
        registry_edit,
        registry_export,
        registry_import,
        registry_list,
        registry_remove,
        registry_restore,
        registry_show,
        registry_sign,
        registry_similar,
        registry_survival,
        registry_verify,
        run_cohort,
        stage,
        synth_slide,
        virtual_double_stain,
        work_up,
        write_template,
    )
