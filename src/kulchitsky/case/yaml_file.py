"""Case files: YAML (or JSON) written by hand, read with the line of every key, written back in reading order.

Reading has three steps, so that whoever knows the ids can resolve them in between: :func:`parse` turns text into
plain values with line numbers, :func:`validate` turns plain values into a :class:`Case`, :func:`write_case` goes
back. Anchors, aliases and tags are refused: a case needs none, and they are how a small file becomes a huge one.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case

MAX_BYTES = 2_000_000
"""A hand-written case is some kilobytes; beyond this a file is something else."""

MAX_DEPTH = 12
"""The deepest record nests four levels; beyond this a file is hostile or broken."""

Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RawCase:
    """Plain values of a case file with the line (1-based) of each path."""

    source: str
    data: dict[str, Any]
    lines: dict[Path_, int] = field(default_factory=dict)

    def place(self, path: Path_) -> str:
        """``line 12, markers[3].marker``: the nearest line known for the path, and the path itself."""
        line = next((self.lines[path[:n]] for n in range(len(path), -1, -1) if path[:n] in self.lines), None)
        dotted = dotted_path(path)
        if line is None:
            return dotted
        return f"line {line}, {dotted}" if dotted else f"line {line}"


def dotted_path(path: Path_) -> str:
    """``('markers', 3, 'marker')`` as ``markers[3].marker``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


def parse(path: str | os.PathLike[str]) -> RawCase:
    """Read a case file into plain values with line numbers.

    Raises :class:`RefusedCase` when the file is missing, empty, too large, not UTF-8, not YAML, uses anchors or
    tags, repeats a key, or is not a mapping at the top.
    """
    source = str(path)
    text = _read_text(Path(path), source)
    return parse_text(text, source=source)


def parse_text(text: str, *, source: str = "case") -> RawCase:
    """As :func:`parse`, from text."""
    if not text.strip():
        raise RefusedCase(
            "the file is empty", source=source, remedy="write a template with `kulchitsky init CASE.yaml`"
        )
    if text.lstrip().startswith(("{", "[")):
        return _parse_json(text, source)
    node = _compose(text, source)
    lines: dict[Path_, int] = {}
    data = _plain(node, (), lines, source)
    return _mapping_at_top(RawCase(source=source, data=data, lines=lines))


def validate(raw: RawCase) -> Case:
    """Turn plain values into a :class:`Case`; the first error is reported, with how many more there are."""
    try:
        return Case.model_validate_json(json.dumps(raw.data), strict=True)
    except ValidationError as error:
        raise _refusal(raw, error) from None


def read_case(path: str | os.PathLike[str]) -> Case:
    """Parse and validate; ids of markers and entities are checked for shape only (the knowledge base knows them)."""
    return validate(parse(path))


def write_case(case: Case, path: str | os.PathLike[str]) -> None:
    """Write a case as YAML, beside and then renamed, so that a reader never sees half a file."""
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with beside.open("w", encoding="utf-8") as stream:
            _writer().dump(case.model_dump(mode="json", exclude_defaults=True) or {"id": case.id}, stream)
        beside.replace(target)
    except OSError as error:
        raise RefusedCase(
            f"cannot be written ({error.strerror})", source=str(path), remedy="choose a folder that can be written to"
        ) from None
    finally:
        beside.unlink(missing_ok=True)


def _writer() -> Any:
    yaml: Any = YAML(typ="safe", pure=True)  # its settings carry no types
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    yaml.width = 110
    return yaml


def _read_text(path: Path, source: str) -> str:
    try:
        if path.is_dir():
            raise RefusedCase("is a folder, not a case file", source=source, remedy="name the .yaml file inside it")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RefusedCase(
                f"is {size / 1e6:.1f} MB, and a case file is at most {MAX_BYTES / 1e6:.0f} MB",
                source=source,
                remedy="name the case file, not a slide or an export",
            )
        raw = path.read_bytes()
    except FileNotFoundError:
        raise RefusedCase(
            "does not exist", source=source, remedy="check the path, or write a template with `kulchitsky init`"
        ) from None
    except OSError as error:
        raise RefusedCase(
            f"cannot be read ({error.strerror})", source=source, remedy="check the path and its permissions"
        ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RefusedCase(
            "is not UTF-8 text", source=source, place=f"line {line}", remedy="save it as UTF-8 and try again"
        ) from None
    control = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if control:
        line = text[: control.start()].count("\n") + 1
        raise RefusedCase(
            f"holds the control character U+{ord(control.group()):04X}",
            source=source,
            place=f"line {line}",
            remedy="remove it, or save the file as plain UTF-8 text",
        )
    return text


def _compose(text: str, source: str) -> Node:
    # YAML's own recursion follows the nesting of brackets; count it before it can exhaust the stack
    if re.search(r"[\[{][\s\[{]{200}", text):
        raise _too_deep(source, "")
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = (error.problem or error.context or "it cannot be read").strip()
        raise RefusedCase(
            f"is not valid YAML: {problem}",
            source=source,
            place=place,
            remedy="check indentation, colons and quotes there",
        ) from None
    except (YAMLError, ValueError, RecursionError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RefusedCase(
            f"is not valid YAML: {first}", source=source, remedy="check indentation, colons and quotes"
        ) from None
    if node is None:
        raise RefusedCase(
            "holds comments only", source=source, remedy="fill in at least one key, or start from `kulchitsky init`"
        )
    assert isinstance(node, Node)
    return node


def _plain(node: Node, path: Path_, lines: dict[Path_, int], source: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(path) > MAX_DEPTH:
        raise _too_deep(source, f"line {line}")
    if node.anchor:
        raise RefusedCase(
            f"uses the YAML anchor or alias '{node.anchor}'",
            source=source,
            place=f"line {line}",
            remedy="write the values out where they are meant",
        )
    if isinstance(node, ScalarNode):
        return _scalar(node, source)
    if isinstance(node, SequenceNode):
        return [_plain(child, (*path, i), lines, source) for i, child in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        key = key_node.value if isinstance(key_node, ScalarNode) else None
        if not isinstance(key, str) or key_node.anchor:
            raise RefusedCase(
                "a key is not a plain word", source=source, place=f"line {key_line}", remedy="write `key: value`"
            )
        if key in mapping:
            raise RefusedCase(
                f"the key '{dotted_path((*path, key))}' is given twice",
                source=source,
                place=f"line {key_line}",
                remedy="keep one of the two",
            )
        lines[(*path, key)] = key_line
        mapping[key] = _plain(value_node, (*path, key), lines, source)
    return mapping


def _scalar(node: ScalarNode, source: str) -> Any:
    kind = str(node.tag).rpartition(":")[2]
    text: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(text, 0) if kind == "int" else float(text)
        except ValueError:
            return text
    if kind not in ("str", "timestamp", "value", "merge"):
        raise RefusedCase(
            f"uses the YAML tag '!{kind}'",
            source=source,
            place=f"line {node.start_mark.line + 1}",
            remedy="write the plain value",
        )
    return text


def _parse_json(text: str, source: str) -> RawCase:
    try:
        data = json.loads(text, object_pairs_hook=_unique_pairs)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith("["):
            raise _not_a_mapping(source, 1) from None
        raise RefusedCase(
            f"is not valid JSON: {error.msg}",
            source=source,
            place=f"line {error.lineno}, column {error.colno}",
            remedy="check commas, quotes and brackets there",
        ) from None
    except _RepeatedKey as error:
        raise RefusedCase(
            f"the key '{error.args[0]}' is given twice", source=source, place="", remedy="keep one of the two"
        ) from None
    except RecursionError:
        raise _too_deep(source, "") from None
    return _mapping_at_top(RawCase(source=source, data=data, lines=_json_lines(text, source)))


class _RepeatedKey(Exception):
    pass


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise _RepeatedKey(key)
        mapping[key] = value
    return mapping


def _json_lines(text: str, source: str) -> dict[Path_, int]:
    """Lines of a JSON file through the YAML composer, of which JSON is (nearly) a subset; none where it is not."""
    lines: dict[Path_, int] = {}
    try:
        _plain(_compose(text, source), (), lines, source)
    except RefusedCase:
        return {}
    return lines


def _mapping_at_top(raw: RawCase) -> RawCase:
    if not isinstance(raw.data, dict):
        raise _not_a_mapping(raw.source, raw.lines.get((), 1))
    return raw


def _not_a_mapping(source: str, line: int) -> RefusedCase:
    return RefusedCase(
        "does not hold a case (keys such as patient:, markers:)",
        source=source,
        place=f"line {line}",
        remedy="start from `kulchitsky init CASE.yaml`; report prose needs the ending .txt or .md",
    )


def _too_deep(source: str, place: str) -> RefusedCase:
    return RefusedCase(
        "is nested too deeply for a case", source=source, place=place, remedy="start from `kulchitsky init CASE.yaml`"
    )


def _refusal(raw: RawCase, error: ValidationError) -> RefusedCase:
    details = error.errors(include_url=False)
    first = details[0]
    path: Path_ = tuple(first["loc"])
    problem, remedy = _explain(first)
    more = len(details) - 1
    if more:
        remedy += f" ({more} more error{'s' if more > 1 else ''} after this one)"
    return RefusedCase(problem, source=raw.source, place=raw.place(path), remedy=remedy)


def _explain(detail: ErrorDetails) -> tuple[str, str]:
    """One error of pydantic as a problem and a remedy in plain words."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    path: Path_ = tuple(detail["loc"])
    shown = _shown(given)
    if kind == "extra_forbidden":
        known = _known_keys(path[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=2)
        remedy = (
            f"did you mean {' or '.join(repr(n) for n in near)}" if near else f"known keys are {', '.join(known)}"
        )
        return f"unknown key '{path[-1]}'", remedy
    if kind == "enum":
        expected = str(context.get("expected", ""))
        near = difflib.get_close_matches(str(given).lower(), re.findall(r"'([^']+)'", expected), n=2)
        return f"{shown} is not one of the known values", f"{_did_you_mean(near)}use {expected.replace(chr(39), '')}"
    if kind == "literal_error":
        return (
            f"{shown} is not one of the known values",
            f"use {str(context.get('expected', '')).replace(chr(39), '')}",
        )
    if kind == "missing":
        return f"the key '{path[-1]}' is missing", f"add {path[-1]}: there"
    if kind == "value_error":
        return str(context.get("error", detail["msg"])), "correct one of the two values"
    return (
        f"{shown} cannot be used: {_lower_first(detail['msg'])}",
        "see `kulchitsky init` for what is expected there",
    )


def _did_you_mean(near: list[str]) -> str:
    return f"did you mean {' or '.join(near)}? " if near else ""


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _known_keys(path: Path_) -> list[str]:
    """Field names of the record that sits at ``path`` of a case."""
    model: type[BaseModel] = Case
    for step in path:
        if isinstance(step, int):
            continue
        inner = _record_type(model.model_fields[step].annotation) if step in model.model_fields else None
        if inner is None:
            return sorted(Case.model_fields)
        model = inner
    return list(model.model_fields)


def _record_type(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((t for t in map(_record_type, getattr(annotation, "__args__", ())) if t is not None), None)
