// Everything the viewer can do, once: the keys, the key sheet and the command list are made from this.
// `key` as in QuPath where it has one; commands without a key are found in the list (Ctrl+L).

export function commandsOf({ osd, frame, overlay, shown, edits, tools, panel, doubtful, cellInfo, takingIn, secondReader, slide }) {
  const stage = document.getElementById("stage");
  const pan = (dx, dy) => {
    stage.classList.add("keyboard");
    osd.viewport.panBy(osd.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(dx, dy)));
    osd.viewport.applyConstraints();
  };
  const zoom = (factor) => { osd.viewport.zoomBy(factor); osd.viewport.applyConstraints(); };
  const atCross = (act) => {
    stage.classList.add("keyboard");
    const [x, y] = frame.centre();
    const cell = tools.cellAt(x, y);
    if (cell) act(cell);
  };
  const press = (id) => () => document.getElementById(id)?.click();
  const there = (id) => () => { const e = document.getElementById(id); return e && !e.disabled && !e.closest("[hidden]"); };
  const spot = (number) => () => {
    const found = overlay.review.hotspots[number];
    frame.show(...found.centre_um, 4 * (found.radius_um ?? Math.sqrt(found.area_mm2 / Math.PI) * 1000));
  };
  const scaled = () => slide.um_per_px !== null;
  const reviewed = () => edits.ready;

  const key = (name, words, act, when) => ({ key: name, words, act, when });
  const plain = (words, act, when) => ({ key: "", words, act, when });
  return [
    key("D", "cells", () => panel.toggle("cells")),
    key("A", "regions (annotations)", () => panel.toggle("regions")),
    key("F", "filled or outlined cells", () => panel.toggle("fill")),
    key("C", "heat map (density)", () => panel.toggle("heat")),
    key("N", "names", () => panel.toggle("names")),
    key("H", "hot spots", () => panel.toggle("spots")),
    key("G", "counting grid", () => panel.toggle("grid"), scaled),
    key("M", "move tool", () => tools.choose("move")),
    key("P", "draw a tumour region: click corners or drag; double-click or Enter closes it", () => tools.choose("tumour")),
    key("R", "draw a rectangle of tumour", () => tools.choose("rectangle")),
    key("X", "draw an exclusion", () => tools.choose("exclusion")),
    key("L", "measure a distance", () => tools.choose("measure"), scaled),
    key("Space", "hold to move while drawing", null),
    key("Z", "undo (also Ctrl+Z)", () => edits.step("undo")),
    key("Y", "redo (also Ctrl+Y, Ctrl+Shift+Z)", () => edits.step("redo")),
    key("Enter", "flip the cell at the cross", () => (overlay.draft ? tools.finish() : atCross((cell) => edits.flip(cell)))),
    key("Delete", "take out the cell at the cross", () => atCross((cell) => edits.takeOut(cell))),
    key("Insert", "add a positive cell at the cross", () => edits.add(...frame.centre())),
    key("I", "what was measured of the cell at the cross", () => atCross((cell) => cellInfo.tell(cell))),
    key("J", "next cell near the cut", () => doubtful.step(1), reviewed),
    key("K", "back to the cell near the cut before", () => doubtful.step(-1), reviewed),
    key("Escape", "stop drawing, clear the measurement", () => { tools.cancel(); tools.choose("move"); doubtful.end(); cellInfo.hide(); }),
    key("+", "zoom in", () => zoom(1.5)),
    key("-", "zoom out", () => zoom(1 / 1.5)),
    key("0", "whole slide", () => osd.viewport.goHome()),
    key("ArrowLeft", "move left", () => pan(-80, 0)),
    key("ArrowRight", "move right", () => pan(80, 0)),
    key("ArrowUp", "move up", () => pan(0, -80)),
    key("ArrowDown", "move down", () => pan(0, 80)),
    key("[", "less opacity", () => panel.opacity(-0.1)),
    key("]", "more opacity", () => panel.opacity(0.1)),
    key("?", "keys", () => panel.showKeys()),
    key("Ctrl+L", "list of every command", () => panel.showCommands()),
    plain("go to hot spot 1", spot(0), () => overlay.review?.hotspots[0]),
    plain("go to hot spot 2", spot(1), () => overlay.review?.hotspots[1]),
    plain("search the hot spots again among the corrected cells", press("search-again"), there("search-again")),
    plain("revert to the automatic result", () => edits.step("revert"), reviewed),
    plain("use the corrected count for the case", press("use"), there("use")),
    plain("cells for QuPath (GeoJSON)", press("export"), there("export")),
    plain("take in regions drawn in QuPath (GeoJSON)", () => takingIn.choose(), reviewed),
    plain("carry over the corrections of the earlier count", () => takingIn.carryOver(), () => overlay.review?.edits_of_other_counts > 0),
    plain("finish my reading", () => secondReader.finish(), () => reviewed() && !overlay.review.finished),
    plain("count or read this slide", press("count-start"), there("count-start")),
    plain("size of the squares of the grid", () => document.getElementById("grid-um").focus(), scaled),
    plain("copy the address of this view", () => navigator.clipboard?.writeText(location.href)),
    plain("light or dark", press("theme")),
    plain("slides", () => { location.href = "/slides"; }),
    plain("cases", () => { location.href = "/cases"; }),
    plain(`case ${slide.case_id}`, () => { location.href = `/cases/${slide.case_id}`; }, () => slide.case_id),
  ];
}

export const possible = (command) => command.act && (!command.when || command.when());
