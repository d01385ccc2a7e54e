"""The workbench on a slide of a million cells: first tile, blank frames while moving, memory, 20 clients at once.

    python benchmarks/workbench.py [--cells 1000000] [--seconds 60] [--clients 20]

Serves a synthetic slide with its exact truth as the count, through ``kulchitsky serve`` on a free loopback port,
looks at it with Debian's Chromium (no GPU) and asks for it with plain clients. Prints a table, writes a dated JSON.
The slide is opened three times: cold, straight after the server started, and twice more. ``first_tile_ms`` is the
time from asking for the page to the first pixel of the slide, ``overlay_ms`` to the heat map over it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import simplejpeg
import tifffile
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from kulchitsky.case.measure import SlideCount
from kulchitsky.slide.hotspot import hotspot_by_cells
from kulchitsky.slide.synthetic.render import Renderer
from kulchitsky.slide.synthetic.scene import TUMOUR
from kulchitsky.slide.synthetic.spec import SlideSpec
from kulchitsky.web.slide_shelf import SlideShelf
from kulchitsky.workup.cell_layer import SQUARE_UM, square_order
from kulchitsky.workup.counted_cells import save_count
from kulchitsky.workup.recount import cell_count
from provenance import write_result

TILE_PX = 256
BLOCK_PX = 12 * TILE_PX
UM_PER_PX = 0.5
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

# Runs in the page on every frame: which of 9 × 7 points over the slide show no tile, for how long, and how long the
# frame took. A point counts only where the slide itself is.
TRACER = """
window.trace = { first: null, blank: 0, longest: 0, frames: [], since: new Map(), on: false };
const look = (now) => {
  const t = window.trace, k = window.kulchitsky;
  const canvas = document.querySelector("#slide canvas");
  if (k && canvas && k.osd.isOpen() && (t.on || t.first === null)) {
    const { clientWidth: w, clientHeight: h } = k.osd.container, context = canvas.getContext("2d");
    const scale = canvas.width / w, box = k.frame.transform(), slide = k.frame.slide;
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    for (let i = 1; i < 10; i++) for (let j = 1; j < 8; j++) {
      const x = w * i / 10, y = h * j / 8, key = i * 10 + j;
      const px = (x - box.dx) / box.perPx, py = (y - box.dy) / box.perPx;
      const inside = px > 2 && py > 2 && px < slide.width_px - 2 && py < slide.height_px - 2;
      const at = (Math.round(y * scale) * canvas.width + Math.round(x * scale)) * 4;
      const drawn = pixels[at + 3] > 0;
      if (inside && drawn && t.first === null) t.first = now;
      if (!t.on || !inside || drawn) { t.since.delete(key); continue; }
      if (!t.since.has(key)) t.since.set(key, now);
      t.longest = Math.max(t.longest, now - t.since.get(key));
    }
    if (t.on) t.frames.push(now);
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def write_slide_and_count(folder: Path, cells: int) -> tuple[Path, int]:
    """A periodic slide of about ``cells`` nuclei: one block is painted and laid as often as needed."""
    period_um = BLOCK_PX * UM_PER_PX
    spec = SlideSpec(
        seed=11, width_px=BLOCK_PX, height_px=BLOCK_PX, um_per_px=UM_PER_PX, index_percent=14, period_um=period_um
    )
    renderer = Renderer(spec)
    block = renderer.window(0, 0, BLOCK_PX, BLOCK_PX)
    found = renderer.scene.cells(0, 0, period_um, period_um)
    nuclei = found.take(found.kind <= 2)
    across = max(1, round(np.sqrt(cells / len(nuclei))))
    down = max(1, -(-cells // (len(nuclei) * across)))
    path = folder / "million.tif"
    _write_pyramid(path, block, across, down)
    x, y, klass = (np.tile(v, across * down) for v in (nuclei.x_um, nuclei.y_um, _classes(nuclei)))
    block_of = np.repeat(np.arange(across * down), len(nuclei))
    x, y = x + period_um * (block_of % across), y + period_um * (block_of // across)
    counted = klass < 2
    spots = tuple(hotspot_by_cells(x[counted], y[counted], klass[counted] == 1, n) for n in (500, 2000))
    count = SlideCount(
        **cell_count(int(counted.sum()), int((klass == 1).sum())).model_dump(),
        slide=path.name,
        um_per_px=UM_PER_PX,
        tissue_mm2=across * down * (period_um / 1000) ** 2,
        hotspots=tuple(s for s in spots if s is not None),
    )
    data = folder / "data"
    data.mkdir()
    slide = SlideShelf(data).add(path)
    order = square_order(x, y, SQUARE_UM)  # as counting keeps them
    save_count(data / "counts" / slide.id, count, x[order], y[order], klass[order])
    return path, len(x)


def _classes(nuclei: Any) -> np.ndarray:
    return np.where(nuclei.kind == TUMOUR, nuclei.positive.astype(np.uint8), np.uint8(2))


def _write_pyramid(path: Path, block: np.ndarray, across: int, down: int) -> None:
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        for step in (1, 4, 16):
            small = block if step == 1 else block.reshape(BLOCK_PX // step, step, -1, step, 3).mean((1, 3))
            side = BLOCK_PX // step
            tiles = _tiles(small.astype(np.uint8), side, across, down)
            writer.write(
                tiles,
                shape=(side * down, side * across, 3),
                dtype=np.uint8,
                photometric="ycbcr",
                subsampling=(2, 2),
                tile=(TILE_PX, TILE_PX),
                compression="jpeg",
                subfiletype=0 if step == 1 else 1,
                resolution=(10000 / UM_PER_PX / step,) * 2,
                resolutionunit="CENTIMETER",
            )


def _tiles(block: np.ndarray, side: int, across: int, down: int) -> Any:
    encoded: dict[tuple[int, int], bytes] = {}
    for row in range(-(-side * down // TILE_PX)):
        for column in range(-(-side * across // TILE_PX)):
            y, x = (row * TILE_PX) % side, (column * TILE_PX) % side
            if (y, x) not in encoded:
                window = np.take(
                    np.take(block, range(y, y + TILE_PX), 0, mode="wrap"), range(x, x + TILE_PX), 1, mode="wrap"
                )
                encoded[y, x] = simplejpeg.encode_jpeg(np.ascontiguousarray(window), 85, colorsubsampling="420")
            yield encoded[y, x]


class Server:
    """``kulchitsky serve`` as users start it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "kulchitsky", "serve", "--port", "0", "--data", str(folder / "data")]
        started = time.monotonic()
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self.login = ""
        for line in self.process.stderr:
            found = re.search(r"http://\S+", line)
            if found:
                self.login = found[0]
                break
        if not self.login:
            raise SystemExit("the server did not start")
        self.start_seconds = time.monotonic() - started
        self.start_cpu_seconds = self._cpu_seconds()
        self.address = self.login.partition("/login")[0]

    def _cpu_seconds(self) -> float:
        """Processor time so far: what starting costs, whatever else the machine does."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, field: str) -> float:
        """``VmRSS`` (now) or ``VmHWM`` (peak) of the server process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def look(server: Server, slide_id: str) -> dict[str, Any]:
    """Open the slide in a browser and move about in it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(server.login)
        page.wait_for_url("**/cases")
        page.add_init_script(TRACER)
        firsts, overlays = [], []
        for _ in range(3):
            page.goto(f"{server.address}/slides/{slide_id}")
            _until(page, "window.trace.first !== null")
            firsts.append(page.evaluate("window.trace.first"))
            _until(page, "window.kulchitsky.overlay.heat?.tiles.size > 0")
            overlays.append(page.evaluate("performance.now()"))
        _until(page, "kulchitsky.overlay.review && kulchitsky.overlay.heat.tiles.size > 0")
        page.wait_for_timeout(1500)
        page.evaluate("window.trace.on = true")
        _move_about(page)
        trace = page.evaluate("({ longest: trace.longest, frames: trace.frames })")
        cells = _seconds_to_cells(page)
        heap = page.evaluate("performance.memory.usedJSHeapSize / 2 ** 20")
        browser.close()
    gaps = np.diff(np.asarray(trace["frames"]))
    return {
        "first_tile_ms": [round(v) for v in firsts],
        "overlay_ms": [round(v) for v in overlays],
        "longest_blank_ms": round(trace["longest"], 1),
        "frames": len(trace["frames"]),
        "frame_gap_ms": {"median": round(float(np.median(gaps)), 1), "p95": round(float(np.percentile(gaps, 95)), 1)},
        "cells_after_zoom_ms": round(1000 * cells),
        "browser_heap_mb": round(heap, 1),
    }


def _until(page: Page, condition: str) -> None:
    deadline = time.monotonic() + 60
    while not page.evaluate(f"() => Boolean({condition})"):
        if time.monotonic() > deadline:
            raise SystemExit(f"never came true: {condition}")
        page.wait_for_timeout(20)


def _move_about(page: Page) -> None:
    """Zoom in with the wheel, drag, zoom out, jump: about 25 seconds of looking."""
    page.mouse.move(480, 420)
    for _ in range(3):
        for _ in range(9):
            page.mouse.wheel(0, -240)
            page.wait_for_timeout(120)
        for dx, dy in [(300, 0), (-250, 160), (200, -220), (-320, -60)]:
            page.mouse.move(480, 420)
            page.mouse.down()
            page.mouse.move(480 + dx, 420 + dy, steps=12)
            page.mouse.up()
            page.wait_for_timeout(350)
        for _ in range(9):
            page.mouse.wheel(0, 240)
            page.wait_for_timeout(120)
    page.wait_for_timeout(800)


def _seconds_to_cells(page: Page) -> float:
    """From a jump to a field not seen before until its cells are there."""
    started = time.monotonic()
    page.evaluate("""() => {
      const { frame, overlay } = kulchitsky, { columns, rows, side } = overlay.cells;
      frame.show(columns * side * 0.93, rows * side * 0.07, 700, true);
    }""")
    page.wait_for_timeout(20)
    _until(page, "((c) => c.inView(kulchitsky.frame.visible()).length && !c.waiting.size)(kulchitsky.overlay.cells)")
    return time.monotonic() - started


async def crowd(server: Server, invitations: list[str], slide_id: str, seconds: float) -> dict[str, Any]:
    """Clients that look at random places and correct cells, each as fast as it is answered."""
    spent: list[float] = []
    errors: list[str] = []
    async with asyncio.TaskGroup() as group:
        for number, invitation in enumerate(invitations):
            group.create_task(_client(server, invitation, slide_id, seconds, number, spent, errors))
    times = np.asarray(spent) * 1000
    return {
        "clients": len(invitations),
        "seconds": seconds,
        "requests": len(spent),
        "per_second": round(len(spent) / seconds, 1),
        "errors": len(errors),
        "first_errors": errors[:5],
        "answer_ms": {
            p: round(float(np.percentile(times, q)), 1) for p, q in [("p50", 50), ("p95", 95), ("p99", 99)]
        },
    }


async def _client(
    server: Server, invitation: str, slide_id: str, seconds: float, number: int, spent: list[float], errors: list[str]
) -> None:
    rng = random.Random(number)
    path = f"/slides/{slide_id}"
    async with httpx2.AsyncClient(base_url=server.address, timeout=60) as http:
        await http.get(invitation)
        csrf = re.search(r'csrf-token" content="([^"]+)"', (await http.get("/slides")).text)[1]  # type: ignore[index]
        slide = (await http.get(f"{path}.json")).json()
        review = (await http.get(f"{path}/review.json")).json()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            started = time.monotonic()
            try:
                answer = await _ask(http, rng, path, slide, review, csrf)
                if answer.status_code >= 400:
                    errors.append(f"{answer.status_code} {answer.url.path} {answer.text[:80]}")
            except httpx2.HTTPError as error:
                errors.append(f"{type(error).__name__}")
            spent.append(time.monotonic() - started)


async def _ask(
    http: httpx2.AsyncClient, rng: random.Random, path: str, slide: dict[str, Any], review: dict[str, Any], csrf: str
) -> httpx2.Response:
    kind = rng.random()
    if kind < 0.6:
        level = rng.randint(slide["max_level"] - 5, slide["max_level"])
        scale = 1 << (slide["max_level"] - level)
        column = rng.randrange(max(1, slide["width_px"] // scale // slide["tile_px"]))
        row = rng.randrange(max(1, slide["height_px"] // scale // slide["tile_px"]))
        return await http.get(f"{path}/tiles/{level}/{column}/{row}")
    if kind < 0.85:
        return await http.get(
            f"{path}/cells/{rng.randrange(review['square_columns'])}/{rng.randrange(review['square_rows'])}"
        )
    if kind < 0.93:
        return await http.get(f"{path}/heat/{review['heat_levels'] - 1}/0/0")
    edit = {"kind": "add", "x_um": rng.uniform(10, 9000), "y_um": rng.uniform(10, 9000), "after": rng.randint(0, 1)}
    return await http.post(f"{path}/edits", json=edit, headers={"X-CSRF-Token": csrf})


def invite(server: Server, login: str, clients: int) -> list[str]:
    """One-time paths for as many readers."""
    with httpx2.Client(base_url=server.address) as http:
        http.get(login)
        csrf = re.search(r'csrf-token" content="([^"]+)"', http.get("/slides").text)[1]  # type: ignore[index]
        headers = {"X-CSRF-Token": csrf}
        answers = [http.post("/readers", params={"reader": f"Reader {i}"}, headers=headers) for i in range(clients)]
        return [answer.json()["path"] for answer in answers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, cells = write_slide_and_count(folder, options.cells)
        slide_id = json.loads((folder / "data" / "slides.json").read_text())[0]["id"]
        figures: dict[str, Any] = {"cells": cells, "slide_mb": round(path.stat().st_size / 2**20, 1)}
        figures["load_average_before"] = round(os.getloadavg()[0], 2)
        server = Server(folder)
        figures["start_seconds"] = round(server.start_seconds, 2)
        figures["start_cpu_seconds"] = round(server.start_cpu_seconds, 2)
        figures["memory_idle_mb"] = round(server.memory_mb("VmRSS"), 1)
        figures |= look(server, slide_id)
        figures["memory_after_looking_mb"] = round(server.memory_mb("VmHWM"), 1)
        server.stop()
        server = Server(folder)
        figures["crowd"] = asyncio.run(
            crowd(server, invite(server, server.login, options.clients), slide_id, options.seconds)
        )
        figures["memory_peak_with_clients_mb"] = round(server.memory_mb("VmHWM"), 1)
        server.stop()
        figures["load_average"] = [round(v, 2) for v in os.getloadavg()]
        written = write_result("workbench", figures, data=[path])
    table = Table("figure", "value", title="Workbench")
    for key, value in figures.items():
        table.add_row(key, str(value))
    Console().print(table)
    print(f"wrote {written}")


if __name__ == "__main__":
    main()
