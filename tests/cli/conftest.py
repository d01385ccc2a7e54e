"""Run the program as a user would: its arguments, its exit code, its two streams."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from kulchitsky.cli.main import main


@dataclass(frozen=True)
class Done:
    """What a run left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run ``kulchitsky ARGUMENTS`` in this process."""

    def _run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["kulchitsky", *map(str, arguments)])
        code: object = 0
        try:
            main()
        except SystemExit as left:
            code = left.code or 0
        out, err = capsys.readouterr()
        assert isinstance(code, int)
        return Done(code, out, err)

    return _run


@pytest.fixture
def run_process() -> Callable[..., Done]:
    """Run ``kulchitsky ARGUMENTS`` as a process of its own."""

    def _run(*arguments: object, timeout: float = 120) -> Done:
        command = [sys.executable, "-m", "kulchitsky", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return _run
