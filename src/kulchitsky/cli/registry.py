"""``registry``: keep cases, find the like, draw survival."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from kulchitsky import workup as use
from kulchitsky.cli import registry_print as show_as
from kulchitsky.cli.progress import progress_bar
from kulchitsky.cli.text import print_json

registry_app = typer.Typer(
    help="Keep cases, find the like, draw survival. SQLite by default, PostgreSQL for a group.",
    no_args_is_help=True,
)

Place = Annotated[
    str | None,
    typer.Option("--registry", metavar="PATH|URL", help="A file or postgresql:// URL; else $KULCHITSKY_REGISTRY."),
]
Who = Annotated[str | None, typer.Option("--who", help="Name to record behind the change; else $KULCHITSKY_USER.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key-file", help="Key file of the pseudonyms; else $KULCHITSKY_KEY_FILE.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", "-w", help="Condition such as `marker.ck20=present` or `ki67_percent>=20`; repeatable."),
]
Collection = Annotated[str | None, typer.Option("--collection", help="Only this collection.")]
By = Annotated[str | None, typer.Option("--by", help="Field that makes the groups, such as `sex` or `marker.ck20`.")]
Cut = Annotated[list[float] | None, typer.Option("--cut", help="Where to cut a numeric --by field; repeatable.")]
Case = Annotated[str, typer.Argument(metavar="CASE", help="Key in the registry, or the case's own id.")]
Note = Annotated[str, typer.Option("--note", help="Why; kept with the change.")]


@registry_app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(metavar="CASE...", help="Case files, or the JSON of work-ups.")],
    collection: Annotated[str, typer.Option("--collection", help="Collection to put them in.")] = "local",
    keep_id: Annotated[bool, typer.Option("--keep-id", help="Store ids as they are, without pseudonyms.")] = False,
    registry: Place = None,
    who: Who = None,
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Add cases, under pseudonyms: all of them or none."""
    added = use.registry_add(
        paths, registry=registry, who=who, collection=collection, key_file=key_file, keep_id=keep_id
    )
    if as_json:
        print_json({"added": [asdict(item) for item in added]})
        return
    for item in added:
        typer.echo(f"{item.own_id} is {item.key}" + (", with its work-up" if item.with_verdict else ""))


@registry_app.command("list")
def list_cases(
    where: Where = None,
    collection: Collection = None,
    removed: Annotated[bool, typer.Option("--removed", help="Removed cases too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Lines to show.")] = 50,
    offset: Annotated[int, typer.Option("--offset", min=0, help="Lines to skip.")] = 0,
    registry: Place = None,
    as_json: Json = False,
) -> None:
    """List cases, narrowed by what is known of them."""
    found = use.registry_list(
        registry=registry, where=where or (), collection=collection, removed=removed, limit=limit, offset=offset
    )
    if as_json:
        print_json(plain(asdict(found)))
    else:
        show_as.listing(found)


@registry_app.command()
def show(
    case: Case,
    revision: Annotated[int | None, typer.Option("--revision", help="An earlier state.")] = None,
    history: Annotated[bool, typer.Option("--history", help="Every change: who, when, from, to.")] = False,
    out: Annotated[Path | None, typer.Option("-o", "--output", help="Write the record as YAML, to edit.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show the case's own id, from the key file.")] = False,
    registry: Place = None,
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Show one case: record, history, work-ups."""
    shown = use.registry_show(case, registry=registry, revision=revision, out=out, key_file=key_file, reveal=reveal)
    if as_json:
        stored = {**asdict(shown.stored), "case": shown.stored.case.model_dump(mode="json")}
        changes = [asdict(change) for change in shown.history]
        works = [{k: v for k, v in asdict(verdict).items() if k != "body"} for verdict in shown.verdicts]
        print_json(plain({"stored": stored, "history": changes, "verdicts": works, "own_id": shown.own_id}))
    else:
        show_as.shown(shown, history=history)
    if out is not None:
        typer.echo(
            f"wrote {out}: edit it, then `kulchitsky registry edit {case} {out} --revision {shown.stored.revision}`",
            err=True,
        )


@registry_app.command()
def edit(
    case: Case,
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The record as it should be (YAML or JSON).")],
    revision: Annotated[int, typer.Option("--revision", help="The revision that the file was made from.")],
    note: Note = "",
    registry: Place = None,
    who: Who = None,
    key_file: KeyFile = None,
) -> None:
    """Replace a draft's record; refused if the case has moved on since that revision."""
    stored = use.registry_edit(
        case, path, revision=revision, registry=registry, who=who, note=note, key_file=key_file
    )
    typer.echo(f"{stored.key} is at revision {stored.revision}")


@registry_app.command()
def remove(
    case: Case,
    note: Annotated[str, typer.Option("--note", help="Why; kept with the change.")],
    registry: Place = None,
    who: Who = None,
    key_file: KeyFile = None,
) -> None:
    """Take a case out of lists and analyses; record and history stay."""
    stored = use.registry_remove(case, note=note, registry=registry, who=who, key_file=key_file)
    typer.echo(f"{stored.key} is removed (revision {stored.revision}); `registry restore` puts it back")


@registry_app.command()
def restore(case: Case, note: Note = "", registry: Place = None, who: Who = None, key_file: KeyFile = None) -> None:
    """Put a removed case back."""
    stored = use.registry_restore(case, note=note, registry=registry, who=who, key_file=key_file)
    typer.echo(f"{stored.key} is back ({stored.status.replace('_', ' ')}, revision {stored.revision})")


@registry_app.command()
def sign(case: Case, note: Note = "", registry: Place = None, who: Who = None, key_file: KeyFile = None) -> None:
    """Sign a case off: from now on it can only be amended."""
    stored = use.registry_sign(case, note=note, registry=registry, who=who, key_file=key_file)
    typer.echo(f"{stored.key} is signed off (revision {stored.revision})")


@registry_app.command()
def amend(
    case: Case,
    text: Annotated[str, typer.Option("--text", help="The addendum.")],
    path: Annotated[Path | None, typer.Option("--case", help="The amended record, where facts changed.")] = None,
    registry: Place = None,
    who: Who = None,
    key_file: KeyFile = None,
) -> None:
    """Add an addendum to a signed case; what was signed stays as it was."""
    stored = use.registry_amend(case, text, path=path, registry=registry, who=who, key_file=key_file)
    typer.echo(f"{stored.key} has an addendum (revision {stored.revision}, signed {stored.signed_revision})")


@registry_app.command("import")
def import_cases(
    path: Annotated[Path | None, typer.Argument(help="File or folder in any format that `export` writes.")] = None,
    series: Annotated[str | None, typer.Option("--series", help="A shipped series, such as rare_site_net.")] = None,
    collection: Annotated[str | None, typer.Option("--collection", help="Collection to put them in.")] = None,
    keep_id: Annotated[bool, typer.Option("--keep-id", help="Store ids as they are, without pseudonyms.")] = False,
    registry: Place = None,
    who: Who = None,
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Import cases: all of them or none."""
    with progress_bar() as tell:
        done = use.registry_import(
            path,
            series=series,
            registry=registry,
            who=who,
            collection=collection,
            key_file=key_file,
            keep_id=keep_id,
            tell=tell,
        )
    if as_json:
        print_json(asdict(done))
    else:
        typer.echo(f"{done.cases} cases from {done.format} into {done.collection}")


@registry_app.command("export")
def export_cases(
    out: Annotated[Path, typer.Argument(help="File (csv, parquet) or new folder (the other formats).")],
    format: Annotated[
        str, typer.Option("--format", "-f", help="csv, parquet, redcap, cbioportal, fhir or phenopacket.")
    ] = "csv",
    where: Where = None,
    collection: Collection = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="With free text, dates and slide paths: identifiers may be among them.")
    ] = False,
    drop_terms: Annotated[bool, typer.Option("--drop-terms", help="Leave short terms behind as well.")] = False,
    study: Annotated[str, typer.Option("--study", help="Study id, for cBioPortal.")] = "nen_kulchitsky",
    registry: Place = None,
    as_json: Json = False,
) -> None:
    """Export cases without identifiers; stops before writing if one cannot be cleared."""
    done = use.registry_export(
        out,
        format,  # type: ignore[arg-type]  # the use case refuses what it does not know, in one sentence
        registry=registry,
        where=where or (),
        collection=collection,
        complete=complete,
        drop_terms=drop_terms,
        study=study,
    )
    if as_json:
        print_json(plain(asdict(done)))
    else:
        kept = "without identifiers" if done.deidentified else "complete"
        typer.echo(f"{done.cases} cases to {done.path} as {done.format}, {kept}")


@registry_app.command()
def similar(
    case: Annotated[str, typer.Argument(metavar="CASE", help="A case file, or a stored case.")],
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many.")] = 5,
    series: Annotated[
        str | None, typer.Option("--series", help="Among published cases, such as rare_site_net; needs no registry.")
    ] = None,
    where: Where = None,
    collection: Collection = None,
    weight: Annotated[
        list[str] | None, typer.Option("--weight", help="`marker=2` counts stains double; repeatable.")
    ] = None,
    registry: Place = None,
    key_file: KeyFile = None,
    as_json: Json = False,
) -> None:
    """Find the nearest cases and say what matched, what did not, what is unknown."""
    found = use.registry_similar(
        case,
        registry=registry,
        series=series,
        k=k,
        where=where or (),
        collection=collection,
        weights=_weights(weight or []),
        key_file=key_file,
    )
    if as_json:
        print_json(plain({"similar": [asdict(item) for item in found]}))
    else:
        show_as.similar(found)


@registry_app.command()
def survival(
    by: By = None,
    cut: Cut = None,
    endpoint: Annotated[str, typer.Option("--endpoint", help="overall, disease_specific, disease_free.")] = "overall",
    where: Where = None,
    collection: Collection = None,
    cox: Annotated[list[str] | None, typer.Option("--cox", help="Field for a Cox model; repeatable.")] = None,
    figure: Annotated[Path | None, typer.Option("-o", "--figure", help="Draw into .png, .svg or .pdf.")] = None,
    registry: Place = None,
    as_json: Json = False,
) -> None:
    """Kaplan-Meier curves with intervals, log-rank test, Cox model."""
    result = use.registry_survival(
        registry=registry,
        endpoint=endpoint,
        by=by,
        cuts=cut or (),
        where=where or (),
        collection=collection,
        covariates=cox or (),
        figure=figure,
    )
    if as_json:
        print_json(show_as.survival_json(result))
    else:
        show_as.survival(result)


@registry_app.command("cohort-table")
def cohort_table(
    fields: Annotated[list[str] | None, typer.Argument(metavar="[FIELD...]", help="Fields to describe.")] = None,
    by: By = None,
    cut: Cut = None,
    where: Where = None,
    collection: Collection = None,
    registry: Place = None,
    as_json: Json = False,
) -> None:
    """Describe a cohort by group: the first table of a paper."""
    table = use.registry_cohort(
        fields or (), registry=registry, by=by, cuts=cut or (), where=where or (), collection=collection
    )
    if as_json:
        print_json(plain(asdict(table)))
    else:
        show_as.cohort(table)


@registry_app.command()
def verify(registry: Place = None, as_json: Json = False) -> None:
    """Read every case and check that no history was altered; exit 1 where one was."""
    done = use.registry_verify(registry=registry)
    if as_json:
        print_json(asdict(done))
    else:
        for key in done.broken:
            typer.echo(f"{key}: its history no longer adds up")
        typer.echo(f"{done.cases} cases read, {len(done.broken)} with an altered history, in {done.registry}")
    if done.broken:
        raise typer.Exit(1)


def plain(value: Any) -> Any:
    """Return nested values as JSON takes them: moments in ISO form, paths as text, tuples as lists."""
    return show_as.plain(value)


def _weights(texts: list[str]) -> dict[str, float]:
    weights = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            weights[name.strip()] = float(number)
        except ValueError:
            raise typer.BadParameter(f"write --weight marker=2, not {text}") from None
        if not weights[name.strip()] >= 0:
            raise typer.BadParameter(f"a weight is 0 or more, not {number}")
    return weights
