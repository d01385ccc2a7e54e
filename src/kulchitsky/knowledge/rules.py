"""The rule base: grading, staging, prognosis, tests, options, follow-up and codes, read from ``data/rules``.

:func:`load_rules` is the only way in. It reads the YAML files once, checks shape (the schemas) and meaning
(:mod:`kulchitsky.knowledge.rules_check`), and keeps the result for the life of the process.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import yaml
from pydantic import Field, ValidationError

from kulchitsky.case.base import Record
from kulchitsky.case.errors import BrokenKnowledge
from kulchitsky.case.verdict import Reference
from kulchitsky.knowledge.rules_check import problems_of
from kulchitsky.knowledge.rules_facts import FactRow
from kulchitsky.knowledge.rules_grading import Grading
from kulchitsky.knowledge.rules_plan import PlanRules
from kulchitsky.knowledge.rules_staging import Staging


class PlaceWords(Record):
    """Words that name a place, a structure or a node station, mapped to one class of the rules."""

    class_: str = Field(alias="class")
    kind: str
    words: tuple[str, ...] = Field(min_length=1)


class Rules(Record):
    """The whole rule base of one edition."""

    edition: str
    facts: dict[str, FactRow]
    places: tuple[PlaceWords, ...]
    grading: Grading
    staging: Staging
    plan: PlanRules
    references: dict[str, Reference]


_PARTS: dict[str, tuple[str, ...]] = {
    "grading": ("grading.yaml", "differentiation.yaml"),
    "staging": (
        "routing.yaml",
        "stage_merkel.yaml",
        "stage_digestive.yaml",
        "stage_thoracic.yaml",
        "stage_seventh.yaml",
    ),
    "plan": ("prognosis.yaml", "tests.yaml", "laboratory.yaml", "options.yaml", "follow_up.yaml", "codes.yaml"),
}


class _Loader(yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML that refuses a key written twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [
            self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"
        ]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key '{key}' is written twice", node.start_mark)
        result: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return result


def _read(folder: Traversable, name: str) -> dict[str, Any]:
    try:
        content = yaml.load(folder.joinpath(name).read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, yaml.YAMLError) as error:
        raise BrokenKnowledge(f"rule file {name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise BrokenKnowledge(f"rule file {name} does not hold a mapping")
    return content


def _merge(folder: Traversable, names: tuple[str, ...]) -> dict[str, Any]:
    """One mapping from several files: lists of the same name are joined, anything else may occur once."""
    merged: dict[str, Any] = {}
    for name in names:
        for key, value in _read(folder, name).items():
            if key in merged and isinstance(value, list):
                merged[key] = merged[key] + value
            elif key in merged:
                raise BrokenKnowledge(f"'{key}' stands in {name} and in another file of {', '.join(names)}")
            else:
                merged[key] = value
    return merged


def read_rules(folder: Traversable) -> Rules:
    """Read and check the rule base in ``folder``; raises :class:`BrokenKnowledge` naming what is wrong."""
    head = _read(folder, "facts.yaml")
    edition = str(head["edition"])
    parts = {part: {"edition": edition, **_merge(folder, names)} for part, names in _PARTS.items()}
    references = [dict(row) for row in _read(folder, "references.yaml")["references"]]
    try:
        rules = Rules.model_validate(
            {
                "edition": edition,
                "facts": head["facts"],
                "places": _read(folder, "places.yaml")["places"],
                "references": {row["key"]: row for row in references},
                **parts,
            }
        )
    except ValidationError as error:
        raise BrokenKnowledge(f"rule base does not fit its schema: {error}") from error
    keys = [row["key"] for row in references]
    problems = [f"reference {key} is listed twice" for key in sorted(set(keys)) if keys.count(key) > 1]
    problems += problems_of(rules)
    if problems:
        raise BrokenKnowledge("rule base is inconsistent: " + "; ".join(problems))
    return rules


@cache
def load_rules() -> Rules:
    """The shipped rule base, read once."""
    return read_rules(resources.files("kulchitsky.knowledge") / "data" / "rules")
