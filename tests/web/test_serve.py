"""``kulchitsky serve`` as a person starts it."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from kulchitsky.web.server import _listen
from kulchitsky.web.settings import Settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass"
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/login\?token=\S+")
COMMAND = [sys.executable, "-m", "kulchitsky", "serve"]


@pytest.mark.slow
def test_it_prints_an_address_that_signs_in_once_and_shows_the_case(tmp_path: Path) -> None:
    command = [*COMMAND, "--port", "0", "--data", str(tmp_path), "--reader", "Ada", str(EXAMPLE / "case.yaml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines = iter(process.stderr)
            found = next(
                filter(None, (re.search(r"http://127\.0\.0\.1:\d+/login\?token=\S+", line) for line in lines))
            )
            origin = found[0].partition("/login")[0]
            with httpx2.Client(base_url=origin) as http:
                assert "Signed in as Ada" in http.get(found[0]).text
                assert http.get("/cases.json").json()["cases"][0]["id"] == "thigh-mass"
                assert len(http.get("/slides.json").json()["slides"]) == 3
            assert httpx2.get(found[0]).status_code == 403
        finally:
            process.terminate()
            process.wait(30)


def test_it_does_not_open_a_port_to_others_without_a_token(tmp_path: Path) -> None:
    command = [*COMMAND, "--host", "0.0.0.0", "--port", "0", "--data", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={"HOME": str(tmp_path)}
    )
    assert done.returncode == 1
    assert "can be reached from other machines" in done.stderr
    assert "Traceback" not in done.stderr


def test_answers_do_not_wait_for_one_another(tmp_path: Path) -> None:
    """asyncio sets TCP_NODELAY on what a listening socket accepts only if the socket names its protocol."""
    with _listen(Settings(data_dir=tmp_path, port=0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_who_comes_before_the_server_is_ready_waits(tmp_path: Path) -> None:
    with _listen(Settings(data_dir=tmp_path, port=0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=5).close()
