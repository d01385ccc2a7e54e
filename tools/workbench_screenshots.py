"""Take the pictures of the workbench that the documentation shows.

    python tools/workbench_screenshots.py [docs/images]

Works on the shipped example in a fresh data directory; needs Debian's Chromium.
"""

from __future__ import annotations

import io
import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from kulchitsky.web.app import create_app
from kulchitsky.web.settings import Settings
from kulchitsky.web.workbench import Workbench

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "thigh-mass"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
COLOURS = (200, 128, 96, 64)
MOST_BYTES = 300_000


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder), reader="Dr Reader"))
        bench: Workbench = app.state.workbench
        bench.take_in(EXAMPLE / "case.yaml")
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
            take(browser, bench, address, target)
            browser.close()
        server.should_exit = True
        thread.join(10)
        bench.close()


def take(browser: Browser, bench: Workbench, address: str, target: Path) -> None:
    page = sign_in(browser, bench, address, "light")
    slide = next(s.id for s in bench.slides if s.name == "ki67.tif")
    page.goto(f"{address}/slides/{slide}")
    page.locator("#count-start").click()
    until(page, "window.kulchitsky?.overlay.review")
    page.wait_for_timeout(2500)
    page.keyboard.press("c")
    page.wait_for_timeout(1500)
    shoot(page, target / "workbench-heat-map.png")
    page.keyboard.press("c")
    x, y = page.evaluate("kulchitsky.overlay.review.count.hotspots[0].centre_um")
    page.evaluate("([x, y]) => kulchitsky.frame.show(x, y, 330, true)", [x, y])
    page.wait_for_timeout(1500)
    box = page.locator("#slide").bounding_box()
    assert box is not None
    for dx, dy in [(300, 250), (420, 380), (520, 300), (380, 500)]:
        page.mouse.click(box["x"] + dx, box["y"] + dy)
        page.wait_for_timeout(250)
    page.wait_for_timeout(1200)
    shoot(page, target / "workbench-cells.png")
    page.goto(f"{address}/cases/new")
    page.locator("#text").fill((EXAMPLE / "report.txt").read_text(encoding="utf-8"))
    page.get_by_role("button", name="Read it").click()
    page.locator("mark").nth(6).click()
    shoot(page, target / "workbench-facts.png")
    page.goto(f"{address}/cases/thigh-mass")
    shoot(page, target / "workbench-case.png")
    page.goto(f"{address}/cases/thigh-mass/differential?set=ck20:absent")
    shoot(page, target / "workbench-what-if.png")
    dark = sign_in(browser, bench, address, "dark")
    dark.goto(f"{address}/slides/{slide}")
    until(dark, "window.kulchitsky?.overlay.review")
    dark.keyboard.press("j")
    dark.wait_for_timeout(1500)
    dark.keyboard.press("g")
    dark.locator("#grid-um").fill("50")
    dark.locator("#grid-um").blur()
    dark.evaluate("document.querySelector('.panel').scrollTo(0, document.getElementById('tools').offsetTop - 8)")
    dark.wait_for_timeout(1500)
    shoot(dark, target / "workbench-doubtful.png")


def sign_in(browser: Browser, bench: Workbench, address: str, scheme: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme).new_page()  # type: ignore[arg-type]
    page.goto(f"{address}/login?token={bench.sessions.issue_one_time_token('Dr Reader')}")
    page.wait_for_url("**/cases")
    return page


def until(page: Page, condition: str) -> None:
    deadline = time.monotonic() + 120
    while not page.evaluate(f"() => Boolean({condition})"):
        if time.monotonic() > deadline:
            raise SystemExit(f"never came true: {condition}")
        page.wait_for_timeout(100)


def shoot(page: Page, path: Path) -> None:
    """A screenshot as a small PNG: with fewer colours, and at last scaled down, until it is small enough."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    while True:
        for colours in COLOURS:
            picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
            if path.stat().st_size <= MOST_BYTES:
                print(f"wrote {path}")
                return
        picture = picture.resize((picture.width * 9 // 10, picture.height * 9 // 10), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
