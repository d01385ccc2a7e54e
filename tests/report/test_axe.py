"""The page as a browser shows it: no accessibility fault that axe-core finds, no sideways scrolling, no request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from kulchitsky.case.verdict import WorkedUpCase
from kulchitsky.report.html import render

AXE = Path(__file__).parents[1] / "web" / "vendor" / "axe-core" / "axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def file(worked: WorkedUpCase, picture: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    pictures = {"ki67-hot-spot.png": picture, "ae1ae3.png": picture}
    path.write_text(render(worked, pictures=pictures), encoding="utf-8")
    return path


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 1280), ("dark", 820), ("light", 390)])
def test_in_the_browser(browser: Browser, file: Path, scheme: Any, width: int) -> None:
    # the page forbids every script; only the checker is let past its policy
    context = browser.new_context(
        viewport={"width": width, "height": 1000}, color_scheme=scheme, bypass_csp=True, offline=True
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true })")
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    faults = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found["violations"]]
    assert faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    context.close()


def test_its_own_style_passes_its_own_policy(browser: Browser, file: Path) -> None:
    page = browser.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    assert said == []
    assert page.evaluate("getComputedStyle(document.body).maxWidth") != "none"
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)")
    page.close()
