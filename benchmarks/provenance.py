"""What every benchmark writes beside its figures: date, commit, data checksum, machine."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHARED = ROOT.parent / "shared"
"""Material for tests and benchmarks that is not part of the project; benchmarks that need it say so and stop."""


def checksum(paths: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, in sorted order."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def write_result(name: str, figures: Mapping[str, Any], *, data: Iterable[Path] = ()) -> Path:
    """Write ``benchmarks/results/<name>-<date>.json`` and return its path."""
    today = dt.datetime.now(dt.UTC)
    record = {
        "benchmark": name,
        "created": today.replace(microsecond=0).isoformat(),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", "src", "benchmarks")),
        "data_sha256": checksum(data) or None,
        "machine": {"cpus": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "figures": figures,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}-{today:%Y-%m-%d}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
