"""Files written whole or not at all, and read with one clear sentence where they cannot be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kulchitsky.case.errors import RefusedInput


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place, to disk, and rename it there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    except OSError as error:
        raise _refused(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        Path(beside).unlink(missing_ok=True)


def write_folder(path: Path, files: Mapping[str, str]) -> None:
    """Write a folder of text files beside its place and rename it there; a folder that is there is refused."""
    if path.exists():
        raise RefusedInput("is already there", source=str(path), remedy="name a folder that does not exist yet")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}-"))
    except OSError as error:
        raise _refused(path, error) from None
    try:
        for name, text in files.items():
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).write_text(text, encoding="utf-8", newline="\n")
        os.rename(beside, path)
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_text(path: Path) -> str:
    """Return a UTF-8 text file."""
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise RefusedInput(
            f"cannot be read ({error.strerror})", source=str(path), remedy="check the path and the rights"
        ) from None
    except UnicodeDecodeError:
        raise RefusedInput("is not UTF-8 text", source=str(path), remedy="save it as UTF-8") from None


def _refused(path: Path, error: OSError) -> RefusedInput:
    return RefusedInput(
        f"cannot be written ({error.strerror})", source=str(path), remedy="choose a folder you can write in"
    )
