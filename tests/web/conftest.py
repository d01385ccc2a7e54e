"""A workbench with a small counted slide and the example case, for clients and for a real browser."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient

from kulchitsky.case.measure import HotSpot, SlideCount
from kulchitsky.slide.synthetic.scene import TUMOUR
from kulchitsky.slide.synthetic.spec import SlideSpec
from kulchitsky.slide.synthetic.writer import write_slide
from kulchitsky.web.app import create_app
from kulchitsky.web.settings import Settings
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.counted_cells import save_count
from kulchitsky.workup.recount import cell_count

EXAMPLE = Path(__file__).parents[2] / "examples" / "thigh-mass"


@dataclass(frozen=True)
class Client:
    """A signed-in client and its CSRF token; the plain client has neither cookie nor token."""

    http: TestClient
    bench: Workbench
    csrf: str

    def send(self, method: str, path: str, **options: Any) -> Any:
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.http.request(method, path, headers=headers, **options)


@pytest.fixture(scope="session")
def slide_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A synthetic Ki-67 slide of about 0.5 mm² and its truth."""
    path = tmp_path_factory.mktemp("slides") / "ki67-synthetic.tif"
    spec = SlideSpec(seed=7, width_px=1600, height_px=1200, um_per_px=0.5, index_percent=20)
    return path, write_slide(path, spec)


def put_count(bench: Workbench, slide_id: str, truth: Any) -> SlideCount:
    """Keep the truth of a synthetic slide as its count, with one hot spot in the middle."""
    cells = truth.cells
    klass = np.where(cells.kind == TUMOUR, cells.positive.astype(np.uint8), 2)
    centre, radius = (400.0, 300.0), 150.0
    near = np.hypot(cells.x_um - centre[0], cells.y_um - centre[1]) <= radius
    inside = klass[near]
    spot = cell_count(int((inside < 2).sum()), int((inside == 1).sum()))
    count = SlideCount(
        **cell_count(int((klass < 2).sum()), int((klass == 1).sum())).model_dump(),
        slide="ki67-synthetic.tif",
        um_per_px=0.5,
        tissue_mm2=0.48,
        hotspots=(HotSpot(**spot.model_dump(), area_mm2=np.pi * 0.15**2, centre_um=centre, radius_um=radius),),
    )
    save_count(bench.reviews.count_dir(slide_id), count, cells.x_um, cells.y_um, klass)
    return count


@pytest.fixture(scope="session", name="put_count")
def put_count_of_truth() -> Callable[..., SlideCount]:
    """How a synthetic slide's truth becomes its count."""
    return put_count


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., FastAPI]]:
    """Applications whose state is closed after the test."""
    made: list[FastAPI] = []

    def make(**settings: Any) -> FastAPI:
        app = create_app(Settings(data_dir=tmp_path / f"data{len(made)}", reader="Reader One", **settings))
        made.append(app)
        return app

    yield make
    for app in made:
        app.state.workbench.close()


def sign_in(app: FastAPI, reader: str = "Reader One") -> Client:
    """A client signed in with a one-time token."""
    bench: Workbench = app.state.workbench
    http = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)
    answer = http.get("/login", params={"token": bench.sessions.issue_one_time_token(reader)})
    assert answer.status_code == 200
    return Client(http, bench, csrf_of(http.get("/slides").text))


def csrf_of(page: str) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found is not None
    return found[1]


@pytest.fixture
def client(make_app: Callable[..., FastAPI]) -> Client:
    """A signed-in client of an empty workbench."""
    return sign_in(make_app())


@pytest.fixture
def another_reader() -> Callable[[Client, str], Client]:
    """A second reader of the same workbench."""
    return lambda client, name: sign_in(client.http.app, name)  # type: ignore[arg-type]


@pytest.fixture
def counted(client: Client, slide_file: tuple[Path, Any]) -> tuple[Client, str]:
    """A client and the id of a slide that has been counted."""
    path, truth = slide_file
    slide = client.bench.slides.add(path)
    put_count(client.bench, slide.id, truth)
    return client, slide.id


@pytest.fixture
def with_case(counted: tuple[Client, str]) -> tuple[Client, str]:
    """A client whose workbench also holds the example case."""
    client, slide_id = counted
    client.bench.take_in(EXAMPLE / "case.yaml")
    return client, slide_id


@dataclass(frozen=True)
class Served:
    """A server on a free loopback port."""

    address: str
    bench: Workbench

    def login_path(self, reader: str = "Reader One") -> str:
        return f"{self.address}/login?token={self.bench.sessions.issue_one_time_token(reader)}"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory, slide_file: tuple[Path, Any]) -> Iterator[Served]:
    """A real server with the example case and the synthetic slide, for a real browser."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("served"), reader="Reader One"))
    bench: Workbench = app.state.workbench
    bench.take_in(EXAMPLE / "case.yaml")
    path, truth = slide_file
    put_count(bench, bench.slides.add(path).id, truth)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(f"http://127.0.0.1:{port}", bench)
    server.should_exit = True
    thread.join(timeout=20)
    bench.close()
