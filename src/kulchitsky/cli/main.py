"""The program ``kulchitsky``: its commands, and what the exit codes mean.

0 done; 1 refused input, one sentence on standard error; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kulchitsky._version import __version__
from kulchitsky.case.errors import KulchitskyError, RefusedInput
from kulchitsky.cli import (
    case_file,
    challenge,
    cohort,
    count,
    differential,
    evidence,
    grade,
    next,
    plan,
    read,
    registry,
    serve,
    stage,
    stain,
    synth,
    workup,
)

INTENDED_USE = "Research and education use only, no medical device; every statement leads to its source."

app = typer.Typer(
    name="kulchitsky",
    help=(
        "A second reader for neuroendocrine tumours: counts the slide, weighs the stains, shows its sources.\n\n"
        "Start with `kulchitsky workup examples/thigh-mass -o out`: chart and slides in, the worked-up case out.\n\n"
        f"{INTENDED_USE}"
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

MAIN, READ, WEIGH, KEEP = "The main job", "Read and count", "Weigh and conclude", "Keep and show"

app.command("workup", rich_help_panel=MAIN)(workup.workup)
app.command("init", rich_help_panel=READ)(case_file.init)
app.command("check", rich_help_panel=READ)(case_file.check)
app.command("schema", rich_help_panel=READ)(case_file.schema)
app.command("read", rich_help_panel=READ)(read.read)
app.command("count", rich_help_panel=READ)(count.count)
app.command("synth", rich_help_panel=READ)(synth.synth)
app.command("stain", rich_help_panel=READ)(stain.stain)
app.command("differential", rich_help_panel=WEIGH)(differential.differential)
app.command("next", rich_help_panel=WEIGH)(next.next_stain)
app.command("challenge", rich_help_panel=WEIGH)(challenge.challenge)
app.command("grade", rich_help_panel=WEIGH)(grade.grade)
app.command("stage", rich_help_panel=WEIGH)(stage.stage)
app.command("plan", rich_help_panel=WEIGH)(plan.plan)
app.command("evidence", rich_help_panel=WEIGH)(evidence.evidence)
app.add_typer(registry.registry_app, name="registry", rich_help_panel=KEEP)
app.command("cohort", rich_help_panel=KEEP)(cohort.cohort)
app.command("serve", rich_help_panel=KEEP)(serve.serve)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kulchitsky {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a refused input is one sentence, never a traceback."""
    try:
        app()
    except RefusedInput as error:
        typer.echo(f"kulchitsky: {error}", err=True)
        sys.exit(1)
    except KulchitskyError as error:
        typer.echo(f"kulchitsky: internal error: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
