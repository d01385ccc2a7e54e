"""The floor plan holds: imports go down only, files stay small, and start-up stays light."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "kulchitsky"
LONGEST_FILE = 500

HEAVY = (
    "numpy", "scipy", "cv2", "numba", "skimage", "pandas", "pyarrow", "onnxruntime", "spacy", "sqlalchemy",
    "lifelines", "matplotlib", "fastapi", "dask", "distributed", "openslide", "typst", "shapely",
)  # fmt: skip


def test_imports_go_down_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_no_file_swallows_the_package() -> None:
    lengths = {p.relative_to(ROOT): p.read_text(encoding="utf-8").count("\n") for p in PACKAGE.rglob("*.py")}
    assert {p: n for p, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_imports_hidden_in_functions() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in PACKAGE.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.startswith((" ", "\t")) and line.lstrip().startswith(("import ", "from ")) and _is_import(line)
        if not _under_type_checking(path, number)
    ]
    assert hidden == []


def _is_import(line: str) -> bool:
    words = line.split()
    return words[0] == "import" or (words[0] == "from" and "import" in words)


def _under_type_checking(path: Path, number: int) -> bool:
    """Whether the block that line ``number`` stands in opened with ``if TYPE_CHECKING``."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in reversed(lines[: number - 1]):
        if line and not line.startswith((" ", "\t", ")", "#")):
            return line.startswith("if TYPE_CHECKING")
    return False


@pytest.mark.parametrize("statement", ["import kulchitsky", "import kulchitsky.cli.main", "import kulchitsky.workup"])
def test_heavy_libraries_load_when_used(statement: str) -> None:
    code = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = {name.partition(".")[0] for name in json.loads(shown)}
    assert loaded.isdisjoint(HEAVY)


def test_docstrings_run() -> None:
    """The examples in the public docstrings give what they print."""
    command = [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-p", "no:cacheprovider", str(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode in (0, 5), done.stdout[-3000:]
