"""What changed between two states of a case: path, value before, value after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One leaf that differs; ``None`` means that there was, or is, nothing there."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> list[FieldChange]:
    """Return every leaf that differs between two JSON values, in reading order.

    Paths are dotted, list items numbered from 0 (``markers[2].state``). Lists are compared by position: an item put
    in at the front shows as changes of all that follow it, and nothing is hidden by a guess at what moved.
    """
    if before == after and type(before) is type(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        keys = list(before) + [key for key in after if key not in before]
        return [
            change
            for key in keys
            for change in differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(before, list) and isinstance(after, list):
        longest = max(len(before), len(after))
        return [
            change
            for i in range(longest)
            for change in differences(
                before[i] if i < len(before) else None, after[i] if i < len(after) else None, f"{path}[{i}]"
            )
        ]
    return [FieldChange(path, before, after)]
