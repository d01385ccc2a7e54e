"""How fast is a registry of 100,000 cases? Bulk add, list, filter, similar, survival, on SQLite and PostgreSQL.

    python benchmarks/registry.py [--cases 100000] [--postgresql URL]

The cases are synthetic (seeded): thirty stains, features, sets, follow-up, with realistic gaps. PostgreSQL is started
from Debian's package in a temporary folder unless a URL to an empty database is given; without either it is left out
and the result says so. Every figure is the median of repeated runs, cold ones (a new connection, as a command line
has) and warm ones apart. Results: ``benchmarks/results/registry-<date>.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from kulchitsky.case import vocabulary as v
from kulchitsky.case.record import Case
from kulchitsky.registry.records import body_of
from kulchitsky.registry.selection import Condition, parse_condition, select
from kulchitsky.registry.similar import nearest
from kulchitsky.registry.store import Registry
from kulchitsky.registry.survival import survival
from provenance import write_result

STAINS = tuple(f"stain_{i:02d}" for i in range(30))
STATES = ("present", "absent", "equivocal", "not_tested")
SEED = 20240517
Seconds = dict[str, float]
"""``clock``: by the clock; ``cpu``: CPU time of this process, which other load does not change (no server's)."""


def synthetic_cases(count: int) -> Iterator[Case]:
    """Yield seeded cases of three made-up kinds that differ in stains, age and hazard."""
    rng = np.random.default_rng(SEED)
    settings = [m.value for m in v.Setting][:8]
    for i in range(count):
        kind = int(rng.integers(3))
        likely = 0.15 + 0.7 * ((np.arange(len(STAINS)) % 3) == kind)
        tested = rng.random(len(STAINS)) < 0.5
        positive = rng.random(len(STAINS)) < likely
        markers = [
            {"marker": name, "state": "present" if p else "absent"}
            for name, t, p in zip(STAINS, tested, positive, strict=True)
            if t
        ]
        months = float(np.round(rng.exponential((10, 30, 90)[kind]) + 0.1, 1))
        yield Case.model_validate(
            {
                "id": f"S{i:07d}",
                "patient": {"age_years": int(rng.integers(30, 95)), "sex": ("female", "male")[int(rng.integers(2))]},
                "presentation": {
                    "setting": settings[int(rng.integers(len(settings)))],
                    "size": {"greatest_cm": float(np.round(rng.lognormal(0.9, 0.6), 1) + 0.1)},
                },
                "morphology": {
                    "architecture": rng.choice([m.value for m in v.Architecture][:6], size=2, replace=False).tolist(),
                    "cell_size": ("small", "intermediate", "large")[int(rng.integers(3))],
                    "necrosis": ("absent", "focal", "extensive")[min(kind, int(rng.integers(3)))],
                    "features": [
                        {"feature": m.value, "state": STATES[int(rng.integers(2))]}
                        for m in list(v.Feature)[kind : kind + 4]
                    ],
                },
                "markers": markers,
                "ki67": [{"percent": float(np.round(np.clip(rng.normal((70, 25, 3)[kind], 8), 0, 100), 1))}],
                "treatments": [{"kind": "surgery"}, {"kind": ("radiotherapy", "chemotherapy")[int(rng.integers(2))]}],
                "follow_up": [
                    {"months": months, "status": ("dead_of_disease", "alive", "dead")[int(rng.integers(3))]}
                ],
            }
        )


def timed(action: Callable[[], object], repeats: int = 5) -> Seconds:
    """Return the median seconds of an action: by the clock, and of this process alone."""
    clock, own = [], []
    for _ in range(repeats):
        start, start_own = time.perf_counter(), time.process_time()
        action()
        clock.append(time.perf_counter() - start)
        own.append(time.process_time() - start_own)
    return {"clock": round(statistics.median(clock), 4), "cpu": round(statistics.median(own), 4)}


def measure(location: str, cases: list[Case]) -> dict[str, Seconds]:
    """Return seconds for each use of a registry at ``location`` holding ``cases``."""
    found: dict[str, Seconds] = {}
    with Registry.open(location, who="benchmark") as registry:
        found["bulk add, all in one transaction"] = timed(lambda: registry.add_many(cases), 1)
        found["add one more"] = timed(_adder(registry, cases[0]), 20)
    asked = cases[len(cases) // 2]
    conditions = [parse_condition(t) for t in ("marker.stain_03=present", "ki67_percent>=55", "setting=skin")]

    def cold(use: Callable[[Registry], object]) -> Callable[[], object]:
        def run() -> object:
            with Registry.open(location, who="benchmark") as fresh:
                return use(fresh)

        return run

    found["open"] = timed(cold(lambda r: r.name))
    found["list, one page of 50 (cold)"] = timed(cold(lambda r: r.rows(limit=50)))
    found["show one with history (cold)"] = timed(cold(lambda r: (r.get(asked.id), r.history(asked.id))))
    found["filter by three findings (cold)"] = timed(cold(lambda r: r.rows(ids=_filtered(r, conditions), limit=50)))
    found["similar, 5 nearest (cold)"] = timed(cold(lambda r: nearest(asked, r.packed(), k=5)))
    found["survival by a stain (cold)"] = timed(cold(lambda r: survival(r.packed(), by="marker.stain_00")))
    with Registry.open(location, who="benchmark") as registry:
        packed = registry.packed()
    found["similar, 5 nearest (findings in memory)"] = timed(lambda: nearest(asked, packed, k=5), 15)
    found["survival by a stain (findings in memory)"] = timed(lambda: survival(packed, by="marker.stain_00"))
    return found


def _adder(registry: Registry, case: Case) -> Callable[[], object]:
    numbers = iter(range(10**6))
    return lambda: registry.add(case.model_copy(update={"id": f"one-{next(numbers)}"}))


def _filtered(registry: Registry, conditions: Sequence[Condition]) -> list[int]:
    packed = registry.packed()
    return [int(i) for i in packed.ids[select(packed, conditions)]]


@contextmanager
def postgresql(url: str | None) -> Iterator[str | None]:
    """Give the URL of an empty database: the one named, or one on a server of our own for the time of the run."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if url or not programs:
        yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="kulchitsky-pg-"))
    prefix = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data, home = folder / "data", programs[-1].parent

    def call(*command: str) -> None:
        with (folder / "log").open("ab") as log:
            subprocess.run([*prefix, *command], check=True, stdout=log, stderr=log, cwd=folder)

    call(f"{home}/initdb", "-D", f"{data}", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    call(f"{home}/pg_ctl", "-D", f"{data}", "-w", "-l", f"{folder}/server.log", "-o", options, "start")
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        call(f"{home}/pg_ctl", "-D", f"{data}", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Run, print and write the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database; else a server of our own")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    stream = track(synthetic_cases(arguments.cases), "making cases", total=arguments.cases, console=console)
    cases = list(stream)
    checksum = hashlib.sha256("".join(body_of(case) for case in cases[:1000]).encode()).hexdigest()
    results: dict[str, dict[str, Seconds] | str] = {}
    with tempfile.TemporaryDirectory(prefix="kulchitsky-registry-") as folder:
        path = Path(folder) / "registry.db"
        results["sqlite"] = measure(str(path), cases)
        size_mb = round(sum(f.stat().st_size for f in Path(folder).iterdir()) / 1e6, 1)
    with postgresql(arguments.postgresql) as url:
        results["postgresql"] = measure(url, cases) if url else "left out: no server programs and no --postgresql URL"
    table = Table("seconds, median (CPU of the client)", *results)
    measured = {name: r for name, r in results.items() if isinstance(r, dict)}
    for use in measured["sqlite"]:
        cells = [measured[name][use] if name in measured else None for name in results]
        table.add_row(use, *("–" if c is None else f"{c['clock']:.3f} ({c['cpu']:.3f})" for c in cells))
    Console().print(table)
    print(f"{arguments.cases} cases, SQLite file {size_mb} MB")
    figures = {
        "cases": arguments.cases,
        "seed": SEED,
        "data_sha256_of_first_1000_cases": checksum,
        "load_average_at_end": round(os.getloadavg()[0], 1),
        "sqlite_file_mb": size_mb,
        "seconds": results,
    }
    print(f"wrote {write_result('registry', figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
