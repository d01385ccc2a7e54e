"""``serve``: the workbench in the browser."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated

import platformdirs
import typer

from kulchitsky import web


def serve(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[CASE|SLIDE]...",
            help="Cases (a case file, report prose, or a folder with its slides) and slides to open.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; one that others can reach needs an access token in KULCHITSKY_TOKEN."
        ),
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(help="A further host name by which others reach the server. Repeatable."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8765,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where corrections, counts, uploads are kept [default: user data folder]."),
    ] = None,
    registry: Annotated[
        str | None, typer.Option(metavar="URL", help="Registry of cases: a database URL [default: a file in DIR].")
    ] = None,
    slides: Annotated[
        list[Path] | None, typer.Option(metavar="DIR", help="Folder whose slides may be opened. Repeatable.")
    ] = None,
    reader: Annotated[str, typer.Option(help="Your name in the log of corrections [default: the login name].")] = "",
    open_browser: Annotated[bool, typer.Option("--open", "-o", help="Open the browser.")] = False,
) -> None:
    """Open the workbench in the browser: slides with their cells, corrections, differential, grade, stage, report.

    Prints an address that signs you in once. Nothing leaves this machine.
    """
    settings = web.Settings(
        data_dir=data or Path(platformdirs.user_data_dir("kulchitsky")),
        host=host,
        port=port,
        registry=registry,
        extra_hosts=tuple(name or ()),
        access_token=os.environ.get("KULCHITSKY_TOKEN") or None,
        reader=reader or login_name(),
        slide_dirs=tuple(slides or ()),
    )
    web.serve(settings, tuple(inputs or ()), open_browser=open_browser)


def login_name() -> str:
    """The name of this account, or a neutral word where the system has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "reader"
