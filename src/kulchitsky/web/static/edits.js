// Corrections: sent one after the other in the order they were made, shown at once, confirmed by the server.
import { getJson, send } from "./api.js";
import { NEGATIVE, OUT, POSITIVE } from "./cells.js";

export class Edits {
  constructor(slideId, { overlay, panel }) {
    this.path = `/slides/${slideId}/edits`;
    this.overlay = overlay;
    this.panel = panel;
    this.chain = Promise.resolve();
    this.ready = false;
  }

  start(review) {
    this.ready = true;
    this.panel.recount(review.recount, review);
    this.showLog();
  }

  change(body) {
    if (!this.ready) return Promise.resolve();
    this.chain = this.chain.then(() => this.post(body));
    return this.chain;
  }

  async post(body) {
    await this.attempt(() => send("POST", this.path, body));
    if (body.kind === "finish" && this.overlay.review.finished) this.onFinish?.();
  }

  // Another kind of change (`request` answers with what changed), in its turn among the corrections.
  alone(request) {
    this.chain = this.chain.then(() => this.attempt(request));
    return this.chain;
  }

  async attempt(request) {
    try {
      this.show(await request());
      this.panel.alert("");
    } catch (error) {
      this.panel.alert(error.message);
      this.overlay.cells.stale(null);
    }
    this.overlay.ask();
    await this.showLog();
  }

  show(changed) {
    const { overlay } = this;
    overlay.review.regions = changed.regions;
    overlay.review.recount = changed.recount;
    overlay.review.grades = changed.grades;
    overlay.review.finished = changed.finished;
    overlay.cells.stale(changed.squares);
    overlay.heat.stale();
    this.panel.recount(changed.recount, overlay.review);
  }

  set(cell, after) {
    cell.square.klass[cell.i] = after; // seen at once; the square is fetched again when the server has answered
    this.overlay.ask();
    return this.change({ kind: "set", cells: [cell.id], after });
  }

  flip(cell) { return this.set(cell, cell.klass === POSITIVE ? NEGATIVE : POSITIVE); }

  takeOut(cell) { return this.set(cell, OUT); }

  add(x, y, after = POSITIVE) { return this.change({ kind: "add", x_um: x, y_um: y, after }); }

  step(kind) { return this.change({ kind }); }

  async showLog() {
    try {
      this.panel.log((await getJson(`${this.path}.json?last=30`)).lines);
    } catch (error) {
      this.panel.alert(error.message);
    }
  }
}
