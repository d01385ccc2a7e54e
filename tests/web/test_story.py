"""The whole story in a real browser: paste, confirm, open the slide, count, flip, undo, what-if, download."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
REPORT = (ROOT / "examples" / "thigh-mass" / "report.txt").read_text(encoding="utf-8")
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's Chromium is not installed"),
]


def until(page: Page, condition: str, seconds: float = 20) -> None:
    """Wait for a condition; asked from outside, because the pages' own policy forbids the usual way."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({condition})"):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(50)


def open_slide(visit: Any, served: Any, name: str) -> Page:
    """The viewer of a counted slide, zoomed in on cells."""
    slide = next(s for s in served.bench.slides if s.name == name)
    page = visit.open(f"/slides/{slide.id}")
    until(page, "window.kulchitsky?.overlay.review && kulchitsky.osd.isOpen()")
    return page


def zoom_to(page: Page, x: float, y: float, across: float) -> None:
    page.evaluate("([x, y, w]) => kulchitsky.frame.show(x, y, w, true)", [x, y, across])
    until(page, "kulchitsky.overlay.cells.inView(kulchitsky.frame.visible()).length > 0")
    until(page, "!kulchitsky.overlay.cells.waiting.size")


POSITIONS = """([klass, n]) => {
  const { overlay, frame, osd } = kulchitsky, t = frame.transform(), box = osd.container.getBoundingClientRect();
  const cells = (s) => [...s.x].map((x, i) => ({ x, y: s.y[i], k: s.klass[i] }));
  const all = [...overlay.cells.squares.values()].flatMap(cells);
  const alone = (c) => all.every((o) => o === c || Math.hypot(o.x - c.x, o.y - c.y) > 6);
  return all.filter((c) => c.k === klass && alone(c)).map((c) => [c.x * t.scale + t.dx, c.y * t.scale + t.dy])
    .filter(([x, y]) => x > 90 && y > 130 && x < box.width - 200 && y < box.height - 80)
    .slice(0, n).map(([x, y]) => [x + box.left, y + box.top]);
}"""


def cells_on_screen(page: Page, klass: int, n: int) -> list[list[float]]:
    """Window positions of cells of a class that stand alone, away from buttons and the overview."""
    found: list[list[float]] = page.evaluate(POSITIONS, [klass, n])
    return found


def totals(page: Page) -> tuple[int, int]:
    recount = page.evaluate("kulchitsky.overlay.review.recount.total")
    return recount["positive"], recount["counted"]


def settle(page: Page) -> None:
    """Wait until every correction made so far has been answered."""
    page.evaluate("() => kulchitsky.edits.chain")


def test_from_pasted_report_to_downloaded_pdf(visit: Callable[..., Any], served: Any, tmp_path: Path) -> None:
    window = visit()
    page = window.open("/cases")
    page.get_by_role("link", name="New case").first.click()
    page.get_by_label("Paste the report").fill(REPORT)
    page.get_by_role("button", name="Read it").click()

    # facts are highlighted where they stand; one is corrected, one is dropped
    expect(page.locator("mark").first).to_be_visible()
    assert "chromogranin" in " ".join(page.locator("mark").all_inner_texts()).lower()
    page.locator('input[name="patient.age_years"]').fill("76")
    dropped = page.locator("li[data-fact]", has=page.locator('select[name="patient.sex"]'))
    dropped.get_by_role("checkbox").uncheck()
    page.get_by_label("Case id").fill("story")
    page.get_by_role("button", name="Make the case").click()
    expect(page.get_by_role("heading", name="story")).to_be_visible()
    case = served.bench.cases.get("story").case
    assert case.patient.age_years == 76
    assert case.patient.sex == "unknown"
    assert {m.marker for m in case.markers} >= {"chromogranin_a", "cd56", "nse"}

    # a slide is added, opened and counted with progress
    page.locator("#upload-file").set_input_files(ROOT / "examples" / "thigh-mass" / "ki67.tif")
    page.wait_for_url("**/slides/*")
    page.get_by_label("Detector").select_option("fast")
    page.get_by_role("button", name="Count this slide").click()
    until(page, "window.kulchitsky?.overlay.review", seconds=90)
    expect(page.locator("#index")).to_contain_text("%")
    until(page, "kulchitsky.osd.isOpen()")

    # cells are flipped, taken out and added: the figures follow each time
    hot = page.evaluate("kulchitsky.overlay.review.count.hotspots[0].centre_um")
    zoom_to(page, hot[0], hot[1], 240)
    start = totals(page)
    shown = page.locator("#index").inner_text(), page.locator("#spots li").first.inner_text()
    flips = cells_on_screen(page, 0, 20)
    assert len(flips) >= 15
    for x, y in flips:
        page.mouse.click(x, y)
        page.wait_for_timeout(40)
    settle(page)
    assert totals(page) == (start[0] + len(flips), start[1])
    assert page.locator("#index").inner_text() != shown[0]
    assert page.locator("#spots li").first.inner_text() != shown[1]
    assert page.locator("#grade progress").count() >= 2
    (x, y), (x2, y2) = cells_on_screen(page, 1, 2)
    page.keyboard.down("Alt")
    page.mouse.click(x, y)
    page.keyboard.up("Alt")
    page.keyboard.down("Shift")
    page.mouse.click(x2, y2)
    page.keyboard.up("Shift")
    settle(page)
    assert totals(page) == (start[0] + len(flips), start[1])
    made = len(flips) + 2
    for i in range(50 - made):
        page.evaluate("(i) => kulchitsky.edits.add(100 + 7 * i, 200)", i)
    settle(page)
    assert page.get_by_role("button", name="Undo (50)").is_enabled()

    # fifty times undo leads back to the automatic result, fifty times redo forward again
    for _ in range(50):
        page.keyboard.press("Control+z")
    settle(page)
    assert totals(page) == start
    assert page.locator("#undo").is_disabled()
    assert page.locator("#index").inner_text() == shown[0]
    for _ in range(50):
        page.keyboard.press("Control+Shift+z")
    settle(page)
    assert page.get_by_role("button", name="Undo (50)").is_enabled()
    page.get_by_role("button", name="Search again").click()
    until(page, "!document.getElementById('search-again').disabled")
    assert page.evaluate("kulchitsky.overlay.review.recount.hotspots[0].counted") == 500
    page.get_by_role("button", name="Use for the case").click()
    expect(page.locator("#use-message")).to_contain_text("The case now uses")

    # what if CK20 were negative: the ranking moves, the record does not
    page = window.open("/cases/story/differential")
    merkel = page.locator("#ranking .entity", has_text="Merkel cell carcinoma").first.locator("progress")
    before = float(merkel.get_attribute("value") or 0)
    page.get_by_label("CK20", exact=True).select_option("ck20:absent")
    expect(page.locator("#ranking")).to_contain_text("supposed, not recorded")
    assert float(merkel.get_attribute("value") or 0) < before
    assert "set=ck20" in page.url
    assert not [m for m in served.bench.cases.get("story").case.markers if m.marker == "ck20"]

    # the report is shown and can be downloaded
    page = window.open("/cases/story/report")
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("story")
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    target = tmp_path / "story.pdf"
    download.value.save_as(target)
    assert target.read_bytes().startswith(b"%PDF-")
    assert target.stat().st_size > 20_000
    window.check_clean()


def test_the_form_adds_rows_and_shows_what_is_wrong(visit: Callable[..., Any], served: Any) -> None:
    window = visit()
    page = window.open("/cases/thigh-mass")
    page.locator("summary", has_text="Molecular").click()
    page.get_by_role("button", name="Add to molecular").click()
    page.locator('input[name="molecular[0].test"]').fill("MCPyV PCR")
    page.locator('select[name="molecular[0].state"]').select_option("absent")
    page.locator('input[name="patient.age_years"]').fill("seventy")
    page.get_by_role("button", name="Save the record").click()
    expect(page.get_by_role("alert").first).to_contain_text("Not saved")
    age = page.locator('input[name="patient.age_years"]')
    assert age.get_attribute("aria-invalid") == "true"
    age.fill("77")
    page.get_by_role("button", name="Save the record").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    assert served.bench.cases.get("thigh-mass").case.molecular[0].test == "MCPyV PCR"


def test_keys_work_as_in_qupath(visit: Callable[..., Any], served: Any) -> None:
    window = visit()
    page = open_slide(window, served, "ki67-synthetic.tif")
    for key, name in [("d", "cells"), ("a", "regions"), ("f", "fill"), ("c", "heat"), ("n", "names"), ("h", "spots")]:
        button = page.locator(f'[data-show="{name}"]')
        before = button.get_attribute("aria-pressed")
        page.keyboard.press(key)
        assert button.get_attribute("aria-pressed") != before, key
        page.keyboard.press(key)
        assert button.get_attribute("aria-pressed") == before, key
    page.keyboard.press("c")
    expect(page.locator("#notice")).to_contain_text("Heat map, not single cells")
    page.keyboard.press("c")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("hold to move while drawing")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()

    # without a mouse: focus, zoom in, flip the cell at the cross, undo
    zoom_to(page, 400, 300, 60)
    page.locator("#slide").focus()
    cell = page.evaluate(
        "(() => { const n = kulchitsky.overlay.cells.nearest(400, 300, 80); return [n.x, n.y, n.klass]; })()"
    )
    zoom_to(page, cell[0], cell[1], 60)
    start = totals(page)
    page.keyboard.press("Enter")
    settle(page)
    assert totals(page) != start
    page.keyboard.press("z")
    settle(page)
    assert totals(page) == start


def test_a_region_is_drawn_and_the_count_keeps_to_it(visit: Callable[..., Any], served: Any) -> None:
    window = visit()
    page = open_slide(window, served, "ki67-synthetic.tif")
    _, counted = totals(page)
    page.keyboard.press("r")
    box = page.locator("#slide").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 300, steps=4)
    page.mouse.move(box["x"] + 420, box["y"] + 400, steps=4)
    page.mouse.up()
    expect(page.locator("#regions li")).to_have_count(1)
    settle(page)
    assert 0 < totals(page)[1] < counted
    page.keyboard.press("x")
    for dx, dy in [(220, 220), (360, 220), (360, 330)]:
        page.mouse.click(box["x"] + dx, box["y"] + dy)
        page.wait_for_timeout(350)
    inside = totals(page)[1]
    page.keyboard.press("Enter")
    expect(page.locator("#regions li")).to_have_count(2)
    settle(page)
    assert totals(page)[1] < inside
    page.get_by_role("button", name="Revert to automatic").click()
    expect(page.locator("#regions li")).to_have_count(0)
    settle(page)
    assert totals(page)[1] == counted
    window.check_clean()


def test_a_link_opens_the_same_view(visit: Callable[..., Any], served: Any) -> None:
    window = visit()
    page = open_slide(window, served, "ki67-synthetic.tif")
    page.evaluate("kulchitsky.frame.show(321, 234, 150)")
    until(page, "location.hash.includes('x=321.0&y=234.0&w=150.0')")
    link = page.url
    other = visit()
    other.page.goto(link)
    until(other.page, "window.kulchitsky?.osd.isOpen()")
    other.page.wait_for_timeout(400)
    x, y = other.page.evaluate("kulchitsky.frame.centre()")
    assert abs(x - 321) < 2
    assert abs(y - 234) < 2


ALL_PAGES = [
    "/cases",
    "/cases/new",
    "/cases/thigh-mass",
    "/cases/thigh-mass/differential",
    "/cases/thigh-mass/grade",
    "/cases/thigh-mass/stage",
    "/cases/thigh-mass/plan",
    "/cases/thigh-mass/report",
    "/cases/thigh-mass/text",
    "/cases/thigh-mass/history",
    "/slides",
    "VIEWER",
    "COMMANDS",
    "KEYS",
    "READING",
    "/nowhere",
    "/login",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_an_accessibility_rule(visit: Callable[..., Any], served: Any, scheme: str) -> None:
    window = visit(color_scheme=scheme, bypass_csp=True)
    kept = served.bench.readings.read(REPORT, "report.txt")
    broken: dict[str, Any] = {}
    # what a colour scheme changes is colour: the other rules need asking once
    rules = ["color-contrast"] if scheme == "dark" else []
    options: dict[str, Any] = {"iframes": False, "resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = rules
    for path in ALL_PAGES:
        if path in ("VIEWER", "COMMANDS", "KEYS"):
            page = open_slide(window, served, "ki67-synthetic.tif")
            if path != "VIEWER":
                page.keyboard.press("Control+l" if path == "COMMANDS" else "?")
        else:
            page = window.open(f"/readings/{kept.id}" if path == "READING" else path)
        page.add_script_tag(path=str(AXE))
        found = page.evaluate("(options) => axe.run(document, options)", options)
        assert len(found["passes"]) >= (1 if rules else 10), "the rules were not run"
        violations = [(v["id"], [n["html"][:150] for n in v["nodes"]][:3]) for v in found["violations"]]
        if violations:
            broken[path] = violations
    assert broken == {}, json.dumps(broken, indent=1)


@pytest.mark.parametrize("size", [(1280, 800), (820, 1180)], ids=["desk", "tablet"])
def test_no_page_needs_sideways_scrolling(visit: Callable[..., Any], served: Any, size: tuple[int, int]) -> None:
    window = visit(viewport={"width": size[0], "height": size[1]}, has_touch=size[0] < 1000)
    for path in ALL_PAGES[:11]:
        page = window.open(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, (path, wide)
