"""Start the server, print the address to open, and keep serving until interrupted."""

from __future__ import annotations

import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from kulchitsky.case.errors import RefusedInput
from kulchitsky.web.app import create_app
from kulchitsky.web.settings import Settings, is_loopback, is_unspecified
from kulchitsky.web.workbench import Workbench

QUEUED = 2048
"""Connections that wait until the server takes them."""


def serve(settings: Settings, inputs: Sequence[Path] = (), *, open_browser: bool = False) -> None:
    """Serve the workbench until interrupted.

    ``inputs`` are cases (files, reports or folders) and slides to put in first. Raises ``RefusedInput`` when others
    could reach the port without an access token, or when the port is taken.
    """
    check_exposure(settings)
    app = create_app(settings)
    bench: Workbench = app.state.workbench
    for path in inputs:
        bench.take_in(path)
    listener = _listen(settings)
    address = _address(settings, listener.getsockname()[1])
    link = address
    if settings.access_token is None:
        link = f"{address}/login?token={bench.sessions.issue_one_time_token(settings.reader)}"
    print(f"The workbench is open at {link}", file=sys.stderr)
    if settings.access_token is None:
        print("The address signs you in once. Stop the server with Ctrl+C.", file=sys.stderr, flush=True)
    bench.ahead.grading()
    if open_browser:
        threading.Timer(0.8, webbrowser.open, [link]).start()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=3
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        bench.close()


def check_exposure(settings: Settings) -> None:
    """Refuse to listen where other machines can reach the port unless an access token protects it."""
    if is_loopback(settings.host):
        return
    if settings.access_token is None or len(settings.access_token) < 16:
        raise RefusedInput(
            f"{settings.host} can be reached from other machines",
            source="--host",
            remedy="set an access token of at least 16 characters in KULCHITSKY_TOKEN, or leave --host at 127.0.0.1",
        )


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # named in full: on a socket of protocol 0 asyncio leaves small packets waiting for one another (40 ms an answer)
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(QUEUED)  # from here on: whoever follows the printed address at once waits, and is not refused
    except OSError as error:
        listener.close()
        raise RefusedInput(
            f"cannot listen there ({error.strerror})",
            source=f"{settings.host}:{settings.port}",
            remedy="choose another --port (0 takes a free one)",
        ) from error
    return listener


def _address(settings: Settings, port: int) -> str:
    host = "127.0.0.1" if is_unspecified(settings.host) else settings.host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
