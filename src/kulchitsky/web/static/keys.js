// Keys as in QuPath where it has one; the sheet that `?` opens is made from this table.
export function bindKeys({ osd, frame, overlay, shown, edits, tools, panel }) {
  const stage = document.getElementById("stage");
  const pan = (dx, dy) => {
    stage.classList.add("keyboard");
    osd.viewport.panBy(osd.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(dx, dy)));
    osd.viewport.applyConstraints();
  };
  const zoom = (factor) => { osd.viewport.zoomBy(factor); osd.viewport.applyConstraints(); };
  const toggle = (name) => panel.toggle(name);
  const atCross = (act) => {
    stage.classList.add("keyboard");
    const [x, y] = frame.centre();
    const cell = tools.cellAt(x, y);
    if (cell) act(cell);
  };

  const table = [
    ["D", "cells", () => toggle("cells")],
    ["A", "regions (annotations)", () => toggle("regions")],
    ["F", "filled or outlined cells", () => toggle("fill")],
    ["C", "heat map (density)", () => toggle("heat")],
    ["N", "names", () => toggle("names")],
    ["H", "hot spots", () => toggle("spots")],
    ["M", "move tool", () => tools.choose("move")],
    ["P", "draw a tumour region: click corners or drag; double-click or Enter closes it", () => tools.choose("tumour")],
    ["R", "draw a rectangle of tumour", () => tools.choose("rectangle")],
    ["X", "draw an exclusion", () => tools.choose("exclusion")],
    ["Space", "hold to move while drawing", null],
    ["Z", "undo (also Ctrl+Z)", () => edits.step("undo")],
    ["Y", "redo (also Ctrl+Y, Ctrl+Shift+Z)", () => edits.step("redo")],
    ["Enter", "flip the cell at the cross", () => (overlay.draft ? tools.finish() : atCross((cell) => edits.flip(cell)))],
    ["Delete", "take out the cell at the cross", () => atCross((cell) => edits.takeOut(cell))],
    ["Insert", "add a positive cell at the cross", () => edits.add(...frame.centre())],
    ["Escape", "stop drawing", () => { tools.cancel(); tools.choose("move"); }],
    ["+", "zoom in", () => zoom(1.5)],
    ["-", "zoom out", () => zoom(1 / 1.5)],
    ["0", "whole slide", () => osd.viewport.goHome()],
    ["ArrowLeft", "move left", () => pan(-80, 0)],
    ["ArrowRight", "move right", () => pan(80, 0)],
    ["ArrowUp", "move up", () => pan(0, -80)],
    ["ArrowDown", "move down", () => pan(0, 80)],
    ["[", "less opacity", () => panel.opacity(-0.1)],
    ["]", "more opacity", () => panel.opacity(0.1)],
    ["?", "this sheet", () => panel.showKeys(table)],
  ];
  const actions = new Map(table.filter(([, , act]) => act).map(([key, , act]) => [key.toLowerCase(), act]));
  actions.set("=", actions.get("+"));
  document.getElementById("help").addEventListener("click", () => panel.showKeys(table));

  osd.addHandler("canvas-key", (event) => { event.preventDefaultAction = true; });
  addEventListener("keydown", (event) => {
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === " ") {
      if (event.target.closest("button, a, summary, select")) return;
      tools.panning = true;
      event.preventDefault();
      return;
    }
    const act = event.ctrlKey || event.metaKey ? withControl(event, edits) : plain(event, actions);
    if (!act) return;
    event.preventDefault();
    act();
  });
  addEventListener("keyup", (event) => { if (event.key === " ") tools.panning = false; });
  stage.addEventListener("pointerdown", () => stage.classList.remove("keyboard"));
}

function plain(event, actions) {
  if (event.altKey) return null;
  // Enter and the arrows belong to whatever control has the focus, unless that is the slide
  const onControl = event.target.closest("button, a, summary, select, input, [tabindex='0']:not(#slide)");
  if (onControl && !onControl.closest("#slide") && /^(Enter|Arrow|Delete)/.test(event.key)) return null;
  return actions.get(event.key.toLowerCase());
}

function withControl(event, edits) {
  const key = event.key.toLowerCase();
  if (key === "z") return () => edits.step(event.shiftKey ? "redo" : "undo");
  if (key === "y") return () => edits.step("redo");
  return null;
}

function isTyping(element) {
  return element.matches("input:not([type=range]):not([type=checkbox]), textarea, select");
}
