// Two readers of one count: each blind to the other until both have finished.
import { getJson, send } from "./api.js";

export class SecondReader {
  constructor(slideId, edits) {
    this.slideId = slideId;
    this.edits = edits;
    this.box = document.getElementById("second-reader");
    edits.onFinish = () => this.compare();
  }

  finish() { return this.edits.step("finish"); }

  show(review) {
    if (review.finished) { this.compare(); return; }
    const finish = document.createElement("button");
    finish.type = "button";
    finish.textContent = "Finish my reading";
    finish.addEventListener("click", () => this.finish());
    const words = document.createElement("p");
    words.className = "hint";
    words.textContent = "Another reader corrects the same count without seeing yours. Once both have finished, both may be compared.";
    this.box.replaceChildren(words, finish, this.invitation());
  }

  invitation() {
    const form = document.createElement("form");
    form.className = "inline";
    const label = document.createElement("label");
    label.textContent = "Invite ";
    const name = document.createElement("input");
    name.required = true;
    name.maxLength = 60;
    name.size = 12;
    label.append(name);
    const button = document.createElement("button");
    button.textContent = "Make an address";
    const output = document.createElement("output");
    form.append(label, button, output);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const invited = await send("POST", `/readers?${new URLSearchParams({ reader: name.value })}`);
        output.value = `${location.origin}${invited.path}`;
      } catch (error) {
        output.value = error.message;
      }
    });
    return form;
  }

  async compare() {
    try {
      const { agreements, message } = await getJson(`/slides/${this.slideId}/agreement.json`);
      const lines = agreements.map((a) => {
        const p = document.createElement("p");
        p.textContent = `${a.first} and ${a.second}: κ ${a.kappa === null ? "undefined" : a.kappa.toFixed(3)}` +
          `${a.kappa_interval_95 ? ` (${a.kappa_interval_95.map((v) => v.toFixed(3)).join("–")})` : ""} over ${a.cells.toLocaleString("en")} cells; ` +
          `index ${a.first_index_percent?.toFixed(1) ?? "–"} % and ${a.second_index_percent?.toFixed(1) ?? "–"} %; ${a.differing} cells differ.`;
        return p;
      });
      const words = document.createElement("p");
      words.className = "hint";
      words.textContent = message;
      this.box.replaceChildren(words, ...lines);
    } catch (error) {
      this.box.textContent = error.message;
    }
  }
}
