"""The use cases, one function a file: the only place where floors meet.

Nothing heavy is imported until the function that needs it is asked for, so that ``kulchitsky --help`` stays quick.
"""

from typing import TYPE_CHECKING

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "read_case": ["read_case", "check_case", "resolve_ids"],
        "template": ["write_template", "case_schema"],
        "work_up": ["work_up"],
    },
)

if TYPE_CHECKING:
    from kulchitsky.workup.read_case import check_case, read_case, resolve_ids
    from kulchitsky.workup.template import case_schema, write_template
    from kulchitsky.workup.work_up import work_up

    __all__ = ["case_schema", "check_case", "read_case", "resolve_ids", "work_up", "write_template"]
