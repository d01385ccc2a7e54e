"""Write a commented case template; give the JSON Schema that editors use to complete and check case files."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import Any

from kulchitsky.case.errors import RefusedCase
from kulchitsky.case.record import Case


def write_template(path: str | os.PathLike[str]) -> Path:
    """Write the commented template to ``path``; an existing file is never overwritten."""
    target = Path(path)
    text = resources.files("kulchitsky.case").joinpath("template.yaml").read_text(encoding="utf-8")
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise RefusedCase(
            "exists already", source=str(path), remedy="choose another name, or remove it first"
        ) from None
    except OSError as error:
        raise RefusedCase(
            f"cannot be written ({error.strerror})", source=str(path), remedy="choose a folder that can be written to"
        ) from None
    return target


def case_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a case file, for completion and checking in an editor."""
    schema = Case.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "kulchitsky case"}
