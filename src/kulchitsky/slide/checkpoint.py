"""Results of blocks on disk, so that a killed count goes on where it stopped and ends in the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import fields
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from kulchitsky.slide.cells import CellTable


class Checkpoint:
    """A folder of block results for one slide, one detector and one set of parameters.

    The folder's name is a digest of all three, so that results of another count are never mixed in. A file appears
    under its name only when complete; a damaged one is as good as none.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        key = hashlib.sha256(json.dumps(identity, sort_keys=True, default=str).encode()).hexdigest()[:24]
        self.folder = folder / f"count-{key}"
        self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, number: int) -> CellTable | None:
        """The cells of a block counted before, or ``None``."""
        try:
            data = io.BytesIO(self._path(number).read_bytes())
            with np.load(data, allow_pickle=False) as saved:
                return CellTable(**{f.name: saved[f.name] for f in fields(CellTable)})
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None

    def holds(self, number: int) -> bool:
        """Whether a block was counted before; its file may still turn out to be damaged."""
        return self._path(number).exists()

    def save(self, number: int, cells: CellTable) -> None:
        """Keep the cells of a block."""
        buffer = io.BytesIO()
        np.savez(buffer, **{f.name: getattr(cells, f.name) for f in fields(CellTable)})
        target = self._path(number)
        part = target.with_suffix(f".part{os.getpid()}")
        part.write_bytes(buffer.getvalue())
        part.replace(target)

    def clear(self) -> None:
        """Remove the folder once the count is complete."""
        for file in self.folder.iterdir():
            file.unlink(missing_ok=True)
        self.folder.rmdir()

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:08d}.npz"
