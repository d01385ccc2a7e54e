"""The viewer's tools in a real browser: command list, grid, measure, doubtful cells, regions from QuPath, rerun."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from kulchitsky.workup.cell_measures import save_measures
from kulchitsky.workup.counted_cells import load_count, save_count

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="Debian's Chromium is not installed"),
]


@pytest.fixture
def measured(served: Any, slide_file: tuple[Path, Any], put_count: Callable[..., Any], tmp_path: Path) -> str:
    """A slide of its own for each test, counted, with measures of its cells; its id."""
    path = tmp_path / "ki67-tools.tif"
    path.write_bytes(slide_file[0].read_bytes())
    slide = served.bench.slides.add(path)
    put_count(served.bench, slide.id, slide_file[1])
    directory = served.bench.reviews.count_dir(slide.id)
    count, table = load_count(directory)
    save_measures(directory, 0.25 + 0.3 * (table.klass == 1) + 1e-4 * np.arange(len(table)), 30 + 0 * table.x_um)
    method = {"cut_od": 0.3}
    save_count(directory, count.model_copy(update={"method": method}), table.x_um, table.y_um, table.klass)
    return str(slide.id)


def totals(page: Page) -> tuple[int, int]:
    total = page.evaluate("kulchitsky.overlay.review.recount.total")
    return total["positive"], total["counted"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two points given in µm."""
    places = page.evaluate(
        """(points) => { const t = kulchitsky.frame.transform(), b = kulchitsky.osd.container.getBoundingClientRect();
        return points.map(([x, y]) => [x * t.scale + t.dx + b.left, y * t.scale + t.dy + b.top]); }""",
        [start, end],
    )
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=8)
    page.mouse.up()


def test_every_command_is_found_and_run_from_the_list_by_keyboard(visit: Callable[..., Any], measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    page.keyboard.press("Control+l")
    search = page.get_by_role("combobox", name="Find a command")
    expect(search).to_be_focused()
    options = page.locator("#command-list [role=option]")
    everything = options.count()
    assert everything > 30
    search.fill("heat map")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator('[data-show="heat"]')).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Control+l")
    search.fill("no such thing")
    expect(page.get_by_text("No command of that name")).to_be_visible()
    page.keyboard.press("Enter")
    search.fill("hot spot")
    page.keyboard.press("ArrowDown")
    marked = page.locator('#command-list [aria-selected="true"]')
    assert marked.get_attribute("id") == search.get_attribute("aria-activedescendant")
    expect(marked).to_have_text("go to hot spot 1")
    page.keyboard.press("Enter")
    window.until("Math.hypot(...kulchitsky.frame.centre().map((v, i) => v - [400, 300][i])) < 2")
    # a command that makes no sense now is not offered
    page.keyboard.press("Control+l")
    search.fill("carry over")
    expect(options).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    window.check_clean()


def test_a_grid_of_the_stated_size_is_drawn(visit: Callable[..., Any], measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    window.zoom_to(400, 300, 300)
    dark = """(x) => { const { overlay, frame } = kulchitsky, t = frame.transform(), r = devicePixelRatio;
      const p = overlay.context.getImageData(Math.round((x * t.scale + t.dx) * r), 40 * r, 1, 200).data;
      let n = 0; for (let i = 3; i < p.length; i += 4) n += p[i] > 60; return n / 200; }"""
    for name in ("d", "h"):
        page.keyboard.press(name)
    page.wait_for_timeout(100)
    assert page.evaluate(dark, 400) == 0
    page.keyboard.press("g")
    page.get_by_label("Side of a square of the grid").fill("100")
    page.keyboard.press("Enter")
    page.get_by_label("Side of a square of the grid").blur()
    expect(page.locator("#grid-words")).to_have_text("grid 100 µm")
    page.wait_for_timeout(100)
    assert page.evaluate(dark, 400) == 1
    assert page.evaluate(dark, 450) < 0.1


def test_a_distance_is_measured(visit: Callable[..., Any], measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    window.zoom_to(400, 300, 400)
    before = totals(page)
    page.keyboard.press("l")
    drag(page, (340, 260), (420, 320))
    length = float(page.locator("#measured").inner_text().split()[0])
    assert length == pytest.approx(100, abs=1.5)
    page.keyboard.press("Escape")
    expect(page.locator("#measured")).to_have_text("")
    assert totals(page) == before
    assert page.evaluate("kulchitsky.overlay.review.regions.length") == 0


def test_doubtful_cells_are_gone_through_and_flipped_by_key(visit: Callable[..., Any], measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    before = totals(page)
    page.keyboard.press("j")
    words = page.locator("#doubtful-words")
    expect(words).to_contain_text("1 of 200 nearest the cut in hot spot 1")
    expect(words).to_contain_text("cut 0.30")
    first = page.evaluate("kulchitsky.overlay.pointed")
    page.keyboard.press("j")
    expect(words).to_contain_text("2 of 200")
    page.keyboard.press("k")
    expect(words).to_contain_text("1 of 200")
    window.until(f"Math.abs(kulchitsky.frame.centre()[0] - {first[0]}) < 0.5")
    window.until(
        "!kulchitsky.overlay.cells.waiting.size && !kulchitsky.osd.viewport.zoomSpring.isAtTargetValue === false"
    )
    page.get_by_role("button", name="Flip", exact=True).click()
    expect(words).to_contain_text("2 of 200")
    window.settle()
    assert abs(totals(page)[0] - before[0]) == 1
    # at the end of the hottest spot the queue goes on over the slide, with cells not seen yet
    page.evaluate("() => { const d = kulchitsky.doubtful; d.at = d.queue.cells.length - 1; }")
    page.keyboard.press("j")
    expect(words).to_contain_text("in the whole slide")
    expect(words).to_contain_text("1 of ")
    # what was measured of the cell under the cross, once the view has come to rest there
    window.until("Math.hypot(...kulchitsky.frame.centre().map((v, i) => v - kulchitsky.overlay.pointed[i])) < 0.3")
    window.until("kulchitsky.overlay.cells.inView(kulchitsky.frame.visible()).length")
    window.until("!kulchitsky.overlay.cells.waiting.size")
    page.wait_for_timeout(400)
    page.keyboard.press("i")
    expect(page.locator("#cell-info")).to_contain_text("DAB")
    page.keyboard.press("Escape")
    expect(page.locator("#doubtful")).to_be_hidden()
    expect(page.locator("#cell-info")).to_be_hidden()
    window.check_clean()


def test_regions_from_qupath_are_chosen_or_dropped(visit: Callable[..., Any], measured: str, tmp_path: Path) -> None:
    window = visit()
    page = window.open_slide(measured)
    before = totals(page)
    ring = [[200, 200], [1000, 200], [1000, 900], [200, 900], [200, 200]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": {}}
    file = tmp_path / "regions <b>.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    page.locator("#regions-file").set_input_files(file)
    expect(page.locator("#taken-in")).to_contain_text("1 tumour region and 0 exclusions")
    expect(page.locator("#regions li")).to_have_count(1)
    assert 0 < totals(page)[1] < before[1]
    page.keyboard.press("z")
    expect(page.locator("#regions li")).to_have_count(0)
    window.settle()
    assert totals(page) == before
    # dropped on the slide; a file that is no GeoJSON is refused with a sentence
    for text, shown in ((file.read_text(), "#regions li"), ("nonsense", "#alert:not([hidden])")):
        page.evaluate(
            """(text) => { const data = new DataTransfer();
            data.items.add(new File([text], "dropped.geojson"));
            const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
            document.getElementById("stage").dispatchEvent(drop); }""",
            text,
        )
        expect(page.locator(shown)).to_have_count(1)
    expect(page.locator("#alert")).to_contain_text("is not GeoJSON")


def test_corrections_come_along_to_a_new_count(visit: Callable[..., Any], served: Any, measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    before = totals(page)
    window.zoom_to(400, 300, 200)
    for x in (395, 400, 405):
        page.evaluate(
            "(x) => { const k = kulchitsky; return k.edits.takeOut(k.overlay.cells.nearest(x, 300, 60)); }",
            x,
        )
        window.settle()
        window.until("!kulchitsky.overlay.cells.waiting.size")
    page.evaluate("kulchitsky.edits.add(20, 20)")
    window.settle()
    corrected = totals(page)
    assert corrected != before
    directory = served.bench.reviews.count_dir(measured)
    count, table = load_count(directory)
    save_count(directory, count, table.x_um + 0.5, table.y_um, table.klass, keep_former=True)
    served.bench.reviews.forget(measured)
    page = window.open_slide(measured)
    assert totals(page) == before
    page.get_by_role("button", name="Carry them over").click()
    expect(page.locator("#taken-in")).to_contain_text("Carried over")
    expect(page.locator("#taken-in")).to_contain_text("None was lost")
    window.settle()
    assert totals(page) == corrected
    page = window.open_slide(measured)
    assert totals(page) == corrected
    expect(page.get_by_role("button", name="Carry them over")).to_be_hidden()
    window.check_clean()


def test_nothing_scrolls_the_viewer_away(visit: Callable[..., Any], measured: str) -> None:
    window = visit()
    page = window.open_slide(measured)
    page.evaluate("document.getElementById('second-reader').scrollIntoView()")
    page.locator("#regions-file").focus()
    assert page.evaluate("[document.documentElement.scrollTop, document.body.scrollTop]") == [0, 0]


def test_each_fact_is_shown_with_its_sentence(visit: Callable[..., Any], served: Any) -> None:
    text = "A 70 year old man. Synaptophysin positive; CK20 negative.\nKi-67 was 12.5 % of cells. Margins free."
    kept = served.bench.readings.read(text, "report.txt")
    window = visit()
    page = window.open(f"/readings/{kept.id}")
    page.get_by_label("Case id").fill("told")
    page.get_by_role("button", name="Make the case").click()
    page.get_by_role("link", name="each fact with its sentence").click()
    fact = page.locator("li[data-fact]", has_text="12.5").first
    expect(fact.locator(".sentence")).to_be_hidden()
    fact.locator("summary").press("Enter")
    expect(fact.locator(".sentence")).to_have_text("Ki-67 was 12.5 % of cells.")
    window.check_clean()
