"""Write docs/reference from the code: commands, Python functions, keys of a case file.

python tools/write_reference.py          write the pages
python tools/write_reference.py --check  exit 1 where a page differs from the code
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import kulchitsky
from kulchitsky.case.record import Case
from kulchitsky.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- written by tools/write_reference.py from the code: edit that, not this -->\n\n"


def commands_page() -> str:
    """Every command with its arguments, options and defaults."""
    lines = [NOTE, "# Commands\n\n", "`kulchitsky COMMAND --help` shows the same.\n\n"]
    lines.append("Exit codes: 0 done, 1 refused input (one sentence on standard error), 2 wrong usage.\n\n")
    for path, command in _commands(typer.main.get_command(app), ()):
        lines.append(f"## {' '.join(path)}\n\n{_prose(command.help)}\n\n")
        rows = [_parameter(p) for p in command.params if p.name not in ("help", "version")]
        if rows:
            lines.append("| parameter | default | meaning |\n|---|---|---|\n")
            lines.extend(rows)
            lines.append("\n")
    return "".join(lines)


def _commands(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from _commands(inner, (*path, name))
    else:
        yield path, command


def _parameter(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    name = (
        ", ".join(f"`{o}`" for o in (*parameter.opts, *parameter.secondary_opts))
        if option
        else (f"`{parameter.metavar or parameter.name.upper()}`")
    )
    default = parameter.default
    if callable(default) or default is None or default is False:
        shown = "required" if parameter.required else ""
    else:
        shown = f"`{default.value if isinstance(default, Enum) else default}`"
    return f"| {name} | {shown} | {_prose(getattr(parameter, 'help', ''))} |\n"


def python_page() -> str:
    """Every public function with its signature and docstring."""
    lines = [NOTE, "# Python\n\n", "Each command has its function; all are names of `kulchitsky`.\n\n"]
    for name in sorted(kulchitsky.__all__):
        value = getattr(kulchitsky, name)
        if callable(value):
            signature = str(inspect.signature(value)).replace("kulchitsky.case.", "")
            text = inspect.getdoc(value) or ""
            lines.append(f"## {name}\n\n```python\n{name}{signature}\n```\n\n{text}\n\n")
    return "".join(lines)


def case_file_page() -> str:
    """Every key of a case file, record by record, with its values."""
    lines = [NOTE, "# The case file\n\n"]
    lines.append("Every key is optional unless marked; `kulchitsky init CASE.yaml` writes a commented template.\n\n")
    for path, record in _records(Case, "case"):
        lines.append(f"## {path}\n\n{_prose(inspect.getdoc(record))}\n\n| key | values |\n|---|---|\n")
        lines.extend(
            f"| `{key}`{' (required)' if f.is_required() else ''} | {_values(f)} |\n"
            for key, f in record.model_fields.items()
        )
        lines.append("\n")
    return "".join(lines)


def _records(record: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, record
    for key, field in record.model_fields.items():
        for inner in _types(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                many = get_origin(_bare(field.annotation)) is tuple
                yield from _records(
                    inner, f"{path}.{key}{'[]' if many else ''}" if path != "case" else f"{key}{'[]' if many else ''}"
                )


def _types(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types(argument)


def _bare(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, type(int | None)):
        return next(a for a in get_args(annotation) if a is not type(None))
    return annotation


def _values(field: FieldInfo) -> str:
    words: list[str] = []
    for kind in _types(field.annotation):
        if isinstance(kind, type) and issubclass(kind, Enum):
            words.extend(f"`{member.value}`" for member in kind)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            words.append("see below")
        elif kind in (str, int, float, bool):
            words.append({str: "text", int: "whole number", float: "number", bool: "true or false"}[kind])
        elif isinstance(kind, (str, int)):
            words.append(f"`{kind}`")
    return ", ".join(dict.fromkeys(words)) or "date"


def _prose(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").replace("\x08", "").split())


PAGES = {"commands.md": commands_page, "python.md": python_page, "case-file.md": case_file_page}


def main() -> int:
    """Write the pages, or compare them."""
    stale = []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        target, text = FOLDER / name, page().rstrip() + "\n"
        if "--check" in sys.argv:
            if not target.exists() or target.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            target.write_text(text, encoding="utf-8")
    if stale:
        print(f"docs/reference differs from the code: {', '.join(stale)}; run python tools/write_reference.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
