// What was measured of one cell: shown where the pointer rests, or for the cell at the cross.
import { getJson } from "./api.js";

const REST_MS = 350;
const LEAST_RADIUS_PX = 3;
const CLASSES = ["negative", "positive", "not counted"];

export class CellInfo {
  constructor(slideId, { osd, frame, tools, overlay }) {
    Object.assign(this, { slideId, frame, tools, overlay });
    this.box = document.getElementById("cell-info");
    this.waiting = null;
    this.asked = 0;
    new OpenSeadragon.MouseTracker({
      element: osd.container,
      moveHandler: (event) => this.rest(event),
      leaveHandler: () => this.hide(),
    });
    osd.addHandler("animation-start", () => this.hide());
    osd.addHandler("canvas-press", () => this.hide());
  }

  rest(event) {
    this.hide();
    if (event.pointerType === "touch" || this.tools.tool !== "move" || !this.overlay.cells) return;
    if (this.overlay.radius() < LEAST_RADIUS_PX) return;
    const [x, y] = this.frame.toUm(event.position.x, event.position.y);
    this.waiting = setTimeout(() => {
      const cell = this.tools.cellAt(x, y);
      if (cell) this.tell(cell);
    }, REST_MS);
  }

  hide() {
    clearTimeout(this.waiting);
    this.asked++;
    this.box.hidden = true;
  }

  async tell(cell) {
    const asked = ++this.asked;
    let words;
    try {
      words = wordsOf(await getJson(`/slides/${this.slideId}/cell/${cell.id}.json`));
    } catch (error) {
      words = error.message;
    }
    if (asked !== this.asked) return;
    const { scale, dx, dy } = this.frame.transform();
    const box = this.overlay.canvas;
    this.box.textContent = words;
    this.box.hidden = false;
    const left = Math.min(cell.x * scale + dx + 14, box.clientWidth - this.box.offsetWidth - 8);
    const top = Math.min(cell.y * scale + dy + 14, box.clientHeight - this.box.offsetHeight - 8);
    this.box.style.setProperty("left", `${Math.max(8, left)}px`);
    this.box.style.setProperty("top", `${Math.max(8, top)}px`);
  }
}

export function wordsOf(facts) {
  const parts = [CLASSES[facts.klass] ?? "removed"];
  if (facts.automatic === null) parts[0] += " (added)";
  else if (facts.automatic !== facts.klass) parts[0] += ` (automatic: ${CLASSES[facts.automatic]})`;
  if (facts.signal_od !== null) {
    parts.push(`DAB ${facts.signal_od.toFixed(2)} OD${facts.cut_od === null ? "" : `, cut ${facts.cut_od.toFixed(2)}`}`);
  }
  if (facts.area_um2 !== null) parts.push(`${facts.area_um2.toFixed(0)} µm²`);
  return parts.join(" · ");
}
