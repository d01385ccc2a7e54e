"""A folder of slides, or a list of them, in one command: counts, cells, one table, one page; resumable."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from pathlib import Path

from kulchitsky._version import __version__
from kulchitsky.case.cohort import CohortSummary
from kulchitsky.case.errors import RefusedInput
from kulchitsky.case.issue import Issue, Level
from kulchitsky.report.files import write_whole
from kulchitsky.slide.bands import CountSettings, detector_named
from kulchitsky.workup.cohort_agreement import agreements
from kulchitsky.workup.cohort_engine import open_engine
from kulchitsky.workup.cohort_list import CohortList, list_cohort
from kulchitsky.workup.cohort_pages import write_pages
from kulchitsky.workup.cohort_run import CohortProgress, CohortRun
from kulchitsky.workup.cohort_store import CohortStore
from kulchitsky.workup.cohort_summary import cost_of, histograms, rows_of
from kulchitsky.workup.cohort_table import write_tables


def run_cohort(
    slides: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    detector: str = "accurate",
    stain: str | None = None,
    um_per_px: float | None = None,
    objective: float | None = None,
    hotspot_cells: tuple[int, ...] = (500, 2000),
    tumour_only: bool = True,
    registry: str | None = None,
    key_file: str | os.PathLike[str] | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    retries: int = 2,
    tell: Callable[[CohortProgress], None] | None = None,
) -> CohortSummary:
    """Count every slide of a folder or of a CSV list, read other stains; write tables, cells and a page to ``out``.

    A list has a column ``slide`` and may have ``case``, ``stain``, ``um_per_px``, ``objective``, ``regions`` and
    ``manual_percent``. Slides that ``out`` holds already, with the same content, parameters and software, are not
    done again. A slide that cannot be used is a row of the table with its reason. ``scheduler`` is the address of a
    Dask scheduler; else ``workers`` processes here (0: threads of this one). A script that calls this needs
    ``if __name__ == "__main__"``, because worker processes import it. Raises :class:`RefusedInput` for a list,
    folder, registry or scheduler that cannot be used.
    """
    source, folder = Path(slides), Path(out)
    _check_out(source, folder)
    listed = list_cohort(source, stain=stain, um_per_px=um_per_px, objective=objective, leave_out=folder)
    settings = CountSettings(detector, tuple(hotspot_cells), None, tumour_only)
    detector_named(detector)
    store = CohortStore(folder.resolve())
    start = time.perf_counter()
    with store.writing():
        with open_engine(scheduler, workers, store.folder) as client:
            run = CohortRun(client, listed.slides, store, settings, retries=retries, tell=tell)
            run.work_off()
        summary = _summarise(listed, store, settings, registry, key_file)
        wall = time.perf_counter() - start
        summary = summary.model_copy(update={"worked_on": len(run.worked_on), "wall_seconds": wall})
        write_tables(store.folder, summary.rows, settings.hotspot_cells)
        write_pages(store.folder, summary)
        write_whole(store.folder / "cohort.json", (summary.model_dump_json(indent=1) + "\n").encode())
    return summary


def _check_out(source: Path, folder: Path) -> None:
    if source.is_dir() and source.resolve() == folder.resolve():
        remedy = "name another folder, it may lie inside"
        raise RefusedInput("is the folder of the slides", source=str(folder), remedy=remedy)
    if folder.exists() and not folder.is_dir():
        raise RefusedInput("is a file", source=str(folder), remedy="name a folder for the results")


def _summarise(
    listed: CohortList,
    store: CohortStore,
    settings: CountSettings,
    registry: str | None,
    key_file: str | os.PathLike[str] | None,
) -> CohortSummary:
    rows = rows_of(listed.slides, store, registry=registry, key_file=key_file)
    issues = [*listed.issues]
    others = store.others({slide.slide for slide in listed.slides})
    if others:
        message = f"{len(others)} slides done here earlier are not in this list; their cells are still in cells/"
        remedy = "leave them, or start a new output folder"
        issues.append(Issue(level=Level.NOTE, code="cohort.others", message=message, remedy=remedy))
    return CohortSummary(
        name=listed.name,
        created=dt.datetime.now(dt.UTC).replace(microsecond=0).isoformat(),
        software=__version__,
        detector=f"{settings.detector} {detector_named(settings.detector).version}",
        rows=rows,
        histograms=histograms(rows),
        agreements=agreements(rows),
        cost=cost_of(rows),
        issues=tuple(issues),
    )
