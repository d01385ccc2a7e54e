"""The processes that work on a cohort: Dask's, on this machine or at a scheduler's address."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distributed import Client, LocalCluster

from kulchitsky._version import __version__
from kulchitsky.case.errors import RefusedInput
from kulchitsky.slide.pool import usable_cores

_CONNECT_S = 10
_WAIT_S = 60


@contextmanager
def open_engine(scheduler: str | None, workers: int | None, folder: Path) -> Iterator[Client]:
    """Give a Dask client, and let go of what was started for it.

    Without ``scheduler``: ``workers`` processes here, one a core unless told otherwise, restarted when they die; 0
    for threads of this process. With one: its workers, which must run this version and see ``folder`` by its path.
    """
    if scheduler is not None:
        with _connect(scheduler) as client:
            _check_workers(client, scheduler, folder)
            yield client
        return
    wanted = usable_cores() if workers is None else workers
    here = wanted == 0
    with (
        LocalCluster(
            n_workers=1 if here else wanted,
            threads_per_worker=usable_cores() if here else 1,
            processes=not here,
            dashboard_address="127.0.0.1:0",  # any free port, for this machine only
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _connect(scheduler: str) -> Client:
    try:
        client = Client(scheduler, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RefusedInput(
            f"no Dask scheduler answers there ({type(error).__name__})",
            source=scheduler,
            remedy="start one with `dask scheduler`, and give its address as tcp://HOST:8786",
        ) from None
    return client


def _check_workers(client: Client, scheduler: str, folder: Path) -> None:
    try:
        client.wait_for_workers(1, timeout=_WAIT_S)
    except TimeoutError:
        remedy = f"start some with `dask worker {scheduler}`"
        raise RefusedInput("the scheduler has no worker", source=scheduler, remedy=remedy) from None
    versions = {str(version) for version in client.run(_version).values()}
    if versions != {__version__}:
        problem = f"workers run kulchitsky {', '.join(sorted(versions))}, this is {__version__}"
        raise RefusedInput(problem, source=scheduler, remedy="install the same version everywhere")
    token = secrets.token_hex(16)
    probe = folder / ".work" / f"probe-{token}"
    probe.write_text(token, encoding="ascii")
    try:
        blind = [name for name, seen in client.run(_sees, str(probe), token).items() if not seen]
    finally:
        probe.unlink(missing_ok=True)
    if blind:
        remedy = "put slides and output on a disk that every worker has under the same path"
        raise RefusedInput(f"worker {blind[0]} does not see {folder}", source=scheduler, remedy=remedy)


def _version() -> str:
    return __version__


def _sees(probe: str, token: str) -> bool:
    try:
        return Path(probe).read_text(encoding="ascii") == token
    except OSError:
        return False


def threads_of(client: Client) -> int:
    """Tasks that can run at the same time, at least 1."""
    return max(1, sum(int(n) for n in client.nthreads().values()))
