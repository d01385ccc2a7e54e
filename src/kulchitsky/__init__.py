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

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "workup": ["case_schema", "check_case", "read_case", "run_cohort", "work_up", "write_template"],
    },
)
__all__ = sorted([*__all__, "__version__"])

if TYPE_CHECKING:
    from kulchitsky.workup import case_schema, check_case, read_case, run_cohort, work_up, write_template
