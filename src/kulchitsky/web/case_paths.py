"""Paths into a case, written ``markers[3].state``: take apart, look up, set, take out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

PathStep = str | int
_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)|\[(\d{1,4})\]")


def split_path(path: str) -> tuple[PathStep, ...]:
    """``markers[3].state`` → ``("markers", 3, "state")``. Raises ``ValueError`` if it is no such path."""
    steps: list[PathStep] = []
    at = 0
    while at < len(path):
        if path[at] == "." and steps:
            at += 1
        found = _STEP.match(path, at)
        if found is None:
            raise ValueError(f"{path!r} is not a path into a case")
        steps.append(found[1] if found[1] else int(found[2]))
        at = found.end()
    return tuple(steps)


def join_path(steps: Sequence[PathStep]) -> str:
    """``("markers", 3, "state")`` → ``markers[3].state``."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


def look_up(data: Any, steps: Sequence[PathStep]) -> Any:
    """The value at a path of plain data; ``None`` where there is none."""
    for step in steps:
        if isinstance(data, dict) and isinstance(step, str):
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return None
    return data


def put(data: dict[str, Any], steps: Sequence[PathStep], value: Any) -> None:
    """Set the value at an existing place of plain data, in place; a missing place is left alone."""
    holder, last = look_up(data, steps[:-1]), steps[-1]
    if isinstance(holder, dict) and isinstance(last, str):
        holder[last] = value
    if isinstance(holder, list) and isinstance(last, int) and last < len(holder):
        holder[last] = value


def without(data: Any, paths: Sequence[Sequence[PathStep]]) -> Any:
    """Plain data without what the paths name: keys are dropped, list items taken out, others keep their order."""
    gone = {tuple(path) for path in paths}
    return _without(data, gone, ())


def _without(data: Any, gone: set[tuple[PathStep, ...]], here: tuple[PathStep, ...]) -> Any:
    if isinstance(data, dict):
        return {k: _without(v, gone, (*here, k)) for k, v in data.items() if (*here, k) not in gone}
    if isinstance(data, list):
        return [_without(v, gone, (*here, i)) for i, v in enumerate(data) if (*here, i) not in gone]
    return data
