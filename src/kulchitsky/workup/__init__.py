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
    "gather": ["gather"],
    "next_tests": ["next_tests"],
    "read_case": ["read_case", "check_case", "resolve_ids"],
    "read_report": ["read_report"],
    "template": ["write_template", "case_schema"],
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
    from kulchitsky.workup.challenge import challenge
    from kulchitsky.workup.count_slide import count_slide
    from kulchitsky.workup.differential import differential
    from kulchitsky.workup.evidence import evidence_coverage, evidence_for
    from kulchitsky.workup.gather import gather
    from kulchitsky.workup.next_tests import next_tests
    from kulchitsky.workup.read_case import check_case, read_case, resolve_ids
    from kulchitsky.workup.read_report import read_report
    from kulchitsky.workup.template import case_schema, write_template
    from kulchitsky.workup.work_up import work_up
