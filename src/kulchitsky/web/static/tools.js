// What a click or a drag means: flip, take out, add a cell; draw a region.
import { lengthWords } from "./lines.js";

const REACH_PX = 9;

export class Tools {
  constructor({ osd, frame, overlay, edits }) {
    Object.assign(this, { osd, frame, overlay, edits, tool: "move", corner: null, panning: false });
    osd.addHandler("canvas-click", (event) => this.click(event));
    osd.addHandler("canvas-press", (event) => this.press(event));
    osd.addHandler("canvas-drag", (event) => this.drag(event));
    osd.addHandler("canvas-drag-end", () => this.release());
    osd.addHandler("canvas-double-click", () => this.finish());
  }

  choose(tool) {
    this.tool = tool;
    this.cancel();
    document.getElementById("slide").dataset.tool = tool;
    document.querySelectorAll("[data-tool]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.tool === tool)));
    this.osd.container.classList.toggle("drawing", tool !== "move");
  }

  get drawing() { return this.tool !== "move" && !this.panning; }

  um(event) { return this.frame.toUm(event.position.x, event.position.y); }

  click(event) {
    if (!event.quick || !this.edits.ready || this.tool === "measure") return;
    const [x, y] = this.um(event);
    if (this.drawing && this.tool !== "rectangle") {
      (this.overlay.draft ??= []).push([x, y]);
      this.overlay.ask();
      return;
    }
    if (!this.drawing) this.correct(x, y, event.originalEvent);
  }

  correct(x, y, { altKey, shiftKey }) {
    if (shiftKey) { this.edits.add(x, y); return; }
    const cell = this.cellAt(x, y);
    if (!cell) return;
    if (altKey) this.edits.takeOut(cell);
    else this.edits.flip(cell);
  }

  cellAt(x, y) {
    if (!this.overlay.cells || !this.overlay.shown.cells) return null;
    return this.overlay.cells.nearest(x, y, Math.max(REACH_PX / this.frame.transform().scale, 4));
  }

  press(event) {
    if (this.drawing) this.corner = this.um(event);
  }

  drag(event) {
    if (!this.drawing) return;
    event.preventDefaultAction = true;
    const [x, y] = this.um(event);
    if (this.tool === "measure") {
      this.overlay.measure = [this.corner, [x, y]];
      this.measured();
      this.overlay.ask();
      return;
    }
    if (this.tool === "rectangle") {
      const [x0, y0] = this.corner;
      this.overlay.draft = [[x0, y0], [x, y0], [x, y], [x0, y]];
    } else {
      (this.overlay.draft ??= [this.corner]).push([x, y]); // free hand
    }
    this.dragged = true;
    this.overlay.ask();
  }

  measured() {
    const [from, to] = this.overlay.measure;
    document.getElementById("measured").textContent = lengthWords(Math.hypot(to[0] - from[0], to[1] - from[1]));
  }

  release() {
    if (this.drawing && this.dragged) this.finish();
    this.dragged = false;
  }

  // Close the outline and count anew inside (tumour) or without it (exclusion).
  finish() {
    const draft = this.overlay.draft;
    this.overlay.draft = null;
    if (!draft) return;
    const polygon = thin(draft, 1.5 / this.frame.transform().scale);
    if (polygon.length >= 3) this.edits.change({ kind: "draw_region", role: this.tool === "exclusion" ? "exclusion" : "tumour", polygon });
    this.overlay.ask();
  }

  cancel() {
    this.overlay.draft = null;
    this.overlay.measure = null;
    document.getElementById("measured").textContent = "";
    this.overlay.ask();
  }
}

// Drop corners closer together than the eye can tell; a double click leaves the last corner twice.
function thin(points, least) {
  const kept = [];
  for (const [x, y] of points) {
    const last = kept.at(-1);
    if (!last || Math.hypot(x - last[0], y - last[1]) >= least) kept.push([x, y].map((v) => Math.round(v * 100) / 100));
  }
  return kept;
}
