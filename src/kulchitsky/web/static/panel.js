// The figures beside the slide, and the buttons.
import { send } from "./api.js";

const byId = (id) => document.getElementById(id);
const percent = (value, digits = 1) => (value === null || value === undefined ? "–" : `${value.toFixed(digits)} %`);
const range = (interval) => (interval ? `${interval[0].toFixed(1)}–${interval[1].toFixed(1)}` : "");
const probability = (p) => (p > 0 && p < 0.001 ? "< 0.1 %" : p < 1 && p > 0.999 ? "> 99.9 %" : percent(100 * p));
const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");
const whole = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export class Panel {
  bind({ osd, overlay, shown, edits, tools, slideId }) {
    Object.assign(this, { osd, overlay, shown, edits, tools });
    byId("zoom-in").addEventListener("click", () => osd.viewport.zoomBy(1.6));
    byId("zoom-out").addEventListener("click", () => osd.viewport.zoomBy(1 / 1.6));
    byId("zoom-home").addEventListener("click", () => osd.viewport.goHome());
    byId("undo").addEventListener("click", () => edits.step("undo"));
    byId("redo").addEventListener("click", () => edits.step("redo"));
    byId("revert").addEventListener("click", () => edits.step("revert"));
    byId("search-again").addEventListener("click", () => this.searchAgain(slideId));
    byId("use")?.addEventListener("click", () => this.useForCase(slideId));
    for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => tools.choose(button.dataset.tool));
    for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => this.toggle(button.dataset.show));
    byId("grid-um").addEventListener("change", () => this.gridSize());
    byId("help").addEventListener("click", () => this.showKeys());
    byId("all-commands").addEventListener("click", () => this.showCommands());
    byId("opacity").addEventListener("input", (event) => { overlay.opacity = Number(event.target.value); overlay.ask(); });
    byId("scale-form").addEventListener("submit", (event) => this.setScale(event, slideId));
  }

  async searchAgain(slideId) {
    byId("search-again").disabled = true;
    try {
      await this.edits.chain;
      const review = await send("POST", `/slides/${slideId}/hotspots`);
      Object.assign(this.overlay.review, { hotspots: review.hotspots, recount: review.recount, grades: review.grades });
      this.recount(review.recount, this.overlay.review);
      this.overlay.ask();
    } catch (error) {
      this.alert(error.message);
    }
    byId("search-again").disabled = false;
  }

  async useForCase(slideId) {
    try {
      const count = await send("POST", `/slides/${slideId}/use`);
      byId("use-message").textContent = `The case now uses ${percent(count.index_percent)} of ${whole(count.counted)} cells.`;
    } catch (error) {
      this.alert(error.message);
    }
  }

  async setScale(event, slideId) {
    event.preventDefault();
    try {
      await send("PUT", `/slides/${slideId}/scale`, { um_per_px: Number(byId("scale-value").value) });
      location.reload();
    } catch (error) {
      this.alert(error.message);
    }
  }

  gridSize() {
    const size = Number(byId("grid-um").value);
    if (!(size >= 5 && size <= 20000)) return;
    this.overlay.gridUm = size;
    if (!this.shown.grid) this.toggle("grid");
    this.gridWords();
    this.overlay.ask();
  }

  gridWords() {
    byId("grid-words").hidden = !this.shown.grid;
    byId("grid-words").textContent = `grid ${this.overlay.gridUm.toLocaleString("en")} µm`;
  }

  toggle(name) {
    this.shown[name] = !this.shown[name];
    if (name === "grid") this.gridWords();
    document.querySelector(`[data-show="${name}"]`)?.setAttribute("aria-pressed", String(this.shown[name]));
    this.overlay.ask();
  }

  opacity(step) {
    const slider = byId("opacity");
    slider.value = Number(slider.value) + step;
    slider.dispatchEvent(new Event("input"));
  }

  notice(text) {
    const notice = byId("notice");
    if (notice.textContent !== text) notice.textContent = text;
    byId("heat-legend").hidden = !this.overlay?.heated;
  }

  alert(text) {
    byId("alert").textContent = text;
    byId("alert").hidden = !text;
  }

  position(um) {
    byId("position").textContent = um ? `${um[0].toFixed(0)}, ${um[1].toFixed(0)} µm` : "";
  }

  review(review, show) {
    this.show = show;
    byId("figures").hidden = byId("tools").hidden = false;
    byId("count-start").textContent = "Count again";
  }

  recount(recount, review) {
    const { total, automatic } = recount;
    byId("index").value = percent(total.index_percent, total.counted > 2000 ? 2 : 1);
    byId("index-interval").textContent = total.interval_95 ? `95 % interval ${range(total.interval_95)} %,` : "";
    const moved = recount.changed_cells
      ? ` ${whole(recount.changed_cells)} cell${recount.changed_cells === 1 ? "" : "s"} corrected; automatic: ${percent(automatic.index_percent)}.` : "";
    byId("index-cells").textContent = `${whole(total.positive)} of ${whole(total.counted)} cells.${moved}`;
    byId("undo").disabled = !recount.can_undo;
    byId("redo").disabled = !recount.can_redo;
    byId("undo").textContent = recount.can_undo ? `Undo (${recount.can_undo})` : "Undo";
    byId("redo").textContent = recount.can_redo ? `Redo (${recount.can_redo})` : "Redo";
    this.spots(recount.hotspots, review.hotspots);
    this.regions(review.regions);
    this.grades(review.grades);
  }

  spots(counts, spots) {
    byId("spots").replaceChildren(...spots.map((spot, i) => {
      const live = counts[i];
      const item = make("li"), button = make("button", "", { type: "button" });
      button.append(make("b", `${i + 1}. ${percent(live.index_percent)}`),
        ` ${range(live.interval_95)} · ${whole(live.positive)} of ${whole(live.counted)}`);
      if (spot.null_index_percent !== null) {
        button.append(document.createElement("br"), make("small", `chance alone would show ${percent(spot.null_index_percent)}`));
      }
      const across = 4 * (spot.radius_um ?? Math.sqrt(spot.area_mm2 / Math.PI) * 1000);
      button.addEventListener("click", () => this.show(...spot.centre_um, across));
      item.append(button);
      return item;
    }));
    if (!spots.length) byId("spots").append(make("li", "None: too few cells.", { class: "hint" }));
  }

  regions(regions) {
    byId("regions").replaceChildren(...regions.map((region) => {
      const item = make("li", "", { class: "spread" });
      const name = `${region.role === "tumour" ? "Tumour" : "Exclusion"} ${region.region}`;
      const remove = make("button", "Remove", { type: "button", "aria-label": `Remove ${name}` });
      remove.addEventListener("click", () => this.edits.change({ kind: "remove_region", region: region.region }));
      item.append(name, remove);
      return item;
    }));
  }

  grades(grades) {
    byId("grade").replaceChildren(...grades.flatMap((grade) => {
      const rows = make("div", "", { class: "gradebar" });
      for (const [name, p] of Object.entries(grade.probabilities)) {
        rows.append(make("span", name), make("progress", "", { max: 1, value: p, "aria-label": `Probability of ${name}` }),
          make("span", probability(p)));
      }
      const head = make("h3", sentence(grade.grade), { class: "grade" });
      return [head, make("p", grade.system, { class: "hint" }), rows];
    }));
  }

  log(lines) {
    byId("log").replaceChildren(...lines.map((line) => {
      const item = make("li", `${line.words} `, { value: line.seq });
      item.append(make("time", new Date(line.at).toLocaleTimeString(), { datetime: line.at }));
      return item;
    }));
  }

  showKeys() {
    byId("keys-list").replaceChildren(...this.commands.filter((c) => c.key).flatMap(({ key, words }) => {
      const term = make("dt");
      term.append(make("kbd", key.replace("Arrow", "")));
      return [term, make("dd", words)];
    }));
    byId("keys").showModal();
  }

  showCommands() { this.palette.open(); }
}
