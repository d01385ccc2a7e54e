"""The report as JSON: the worked-up case itself."""

from __future__ import annotations

import json

from kulchitsky.case.verdict import WorkedUpCase


def render(worked: WorkedUpCase) -> str:
    """The worked-up case as one JSON object, keys in the order of the records, infinities as null."""
    return json.dumps(worked.model_dump(mode="json"), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
