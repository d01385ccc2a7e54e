// One doubtful cell after the other: those whose staining lies nearest the cut, in the hottest spot first.
import { getJson } from "./api.js";
import { wordsOf } from "./cell_info.js";

const ACROSS_UM = 110;

export class Doubtful {
  constructor(slideId, { frame, overlay, panel, edits }) {
    Object.assign(this, { slideId, frame, overlay, panel, edits });
    this.queue = null;
    this.seen = new Set();
    this.at = -1;
    this.box = document.getElementById("doubtful");
    this.words = document.getElementById("doubtful-words");
    document.getElementById("doubtful-next").addEventListener("click", () => this.step(1));
    document.getElementById("doubtful-back").addEventListener("click", () => this.step(-1));
    document.getElementById("doubtful-flip").addEventListener("click", () => this.flip());
    document.getElementById("doubtful-end").addEventListener("click", () => this.end());
    document.getElementById("doubtful-start").addEventListener("click", () => this.step(1));
  }

  async step(by) {
    try {
      await this.edits.chain;
      if (!this.queue) await this.load();
      else if (by > 0 && this.at + by >= this.queue.cells.length) await this.goOn();
    } catch (error) {
      this.panel.alert(error.message);
      return;
    }
    if (!this.queue.cells.length) { this.panel.alert("No cell is open to doubt here."); this.end(); return; }
    this.at = Math.min(Math.max(this.at + by, 0), this.queue.cells.length - 1);
    const cell = this.queue.cells[this.at];
    this.overlay.pointed = [cell.x_um, cell.y_um];
    document.getElementById("stage").classList.add("keyboard");
    const { left, right } = this.frame.visible();
    this.frame.show(cell.x_um, cell.y_um, Math.min(right - left, ACROSS_UM));
    this.box.hidden = false;
    this.words.textContent = `${this.at + 1} of ${this.queue.cells.length} nearest the cut in ${this.queue.within}: ${wordsOf(cell)}`;
    this.overlay.ask();
  }

  async load() {
    const path = `/slides/${this.slideId}/doubtful.json`;
    this.queue = await getJson(path);
    if (!this.queue.cells.length) this.queue = await getJson(`${path}?within=slide`);
    this.at = -1;
  }

  // After the hottest spot the whole slide, without what was seen there.
  async goOn() {
    const seen = new Set([...this.seen, ...this.queue.cells.map((cell) => cell.cell)]);
    const next = await getJson(`/slides/${this.slideId}/doubtful.json?within=slide&most=${Math.min(1000, seen.size + 200)}`);
    const cells = next.cells.filter((cell) => !seen.has(cell.cell));
    if (!cells.length) return;
    this.seen = seen;
    this.queue = { ...next, cells };
    this.at = -1;
  }

  // The cell of the queue itself, whatever else lies near the cross.
  async flip() {
    const cell = this.queue?.cells[this.at];
    if (!cell) return;
    cell.klass = cell.klass === 1 ? 0 : 1;
    await this.edits.change({ kind: "set", cells: [cell.cell], after: cell.klass });
    await this.step(1);
  }

  end() {
    this.queue = null;
    this.at = -1;
    this.seen = new Set();
    this.overlay.pointed = null;
    this.box.hidden = true;
    this.overlay.ask();
  }
}
