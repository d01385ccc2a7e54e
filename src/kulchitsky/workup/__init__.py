"""The use cases, one function a file: the only place where floors meet.

Nothing heavy is imported until the function that needs it is asked for, so that ``kulchitsky --help`` stays quick.
"""

from typing import TYPE_CHECKING

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "challenge": ["challenge"],
        "differential": ["differential"],
        "next_tests": ["next_tests"],
        "evidence": ["evidence_for", "evidence_coverage"],
        "read_case": ["read_case", "check_case", "resolve_ids"],
        "template": ["write_template", "case_schema"],
        "work_up": ["work_up"],
    },
)

if TYPE_CHECKING:
    from kulchitsky.workup.challenge import challenge
    from kulchitsky.workup.differential import differential
    from kulchitsky.workup.evidence import evidence_coverage, evidence_for
    from kulchitsky.workup.next_tests import next_tests
    from kulchitsky.workup.read_case import check_case, read_case, resolve_ids
    from kulchitsky.workup.template import case_schema, write_template
    from kulchitsky.workup.work_up import work_up

    __all__ = [
        "case_schema",
        "challenge",
        "check_case",
        "differential",
        "evidence_coverage",
        "evidence_for",
        "next_tests",
        "read_case",
        "resolve_ids",
        "work_up",
        "write_template",
    ]
