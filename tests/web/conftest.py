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
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from kulchitsky.case.measure import HotSpot, SlideCount
from kulchitsky.slide.synthetic.scene import TUMOUR
from kulchitsky.slide.synthetic.spec import SlideSpec
from kulchitsky.slide.synthetic.writer import write_slide
from kulchitsky.web.app import create_app
from kulchitsky.web.settings import Settings
from kulchitsky.web.workbench import Workbench
from kulchitsky.workup.counted_cells import save_count
from kulchitsky.workup.recount import cell_count

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
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


class Visit:
    """One signed-in browser window that notes every request and every complaint of the page."""

    def __init__(self, context: BrowserContext, served: Any) -> None:
        self.context = context
        self.address = served.address
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(served.login_path())
        self.page.wait_for_url("**/cases")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def check_clean(self) -> None:
        """Nothing was complained of (a policy that blocks a part of the page complains), nothing asked elsewhere."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith((self.address, "data:", "blob:"))] == []

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait for a condition; asked from outside, because the pages' own policy forbids the usual way."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(f"() => Boolean({condition})"):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(50)

    def open_slide(self, slide_id: str) -> Page:
        """The viewer of a counted slide."""
        self.open(f"/slides/{slide_id}")
        self.until("window.kulchitsky?.overlay.review && kulchitsky.osd.isOpen()")
        return self.page

    def zoom_to(self, x: float, y: float, across: float) -> None:
        """Centre on a point in µm and wait for the cells there."""
        self.page.evaluate("([x, y, w]) => kulchitsky.frame.show(x, y, w, true)", [x, y, across])
        self.until("kulchitsky.overlay.cells.inView(kulchitsky.frame.visible()).length > 0")
        self.until("!kulchitsky.overlay.cells.waiting.size")

    def settle(self) -> None:
        """Wait until every correction made so far has been answered."""
        self.page.evaluate("() => kulchitsky.edits.chain")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser, served: Any) -> Iterator[Callable[..., Visit]]:
    made: list[BrowserContext] = []

    def make(**options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(20_000)
        made.append(context)
        return Visit(context, served)

    yield make
    for context in made:
        context.close()
