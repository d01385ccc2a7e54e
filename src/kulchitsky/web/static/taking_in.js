// Corrections that come from elsewhere: regions drawn in QuPath, and those made to an earlier count of the slide.
import { send, sendText } from "./api.js";

const byId = (id) => document.getElementById(id);
const some = (n, one, many = `${one}s`) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export class TakingIn {
  constructor(slideId, { edits, panel }) {
    this.path = `/slides/${slideId}`;
    this.edits = edits;
    this.panel = panel;
    this.input = byId("regions-file");
    this.input.addEventListener("change", () => this.files(this.input.files));
    byId("carry").addEventListener("click", () => this.carryOver());
    const stage = byId("stage");
    stage.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      stage.classList.add("dropping");
    });
    stage.addEventListener("dragleave", () => stage.classList.remove("dropping"));
    stage.addEventListener("drop", (event) => {
      event.preventDefault();
      stage.classList.remove("dropping");
      this.files(event.dataTransfer.files);
    });
  }

  choose() { this.input.click(); }

  async files(files) {
    if (!this.edits.ready) { this.panel.alert("Count the slide first: regions say which of its cells count."); return; }
    for (const file of files) {
      await this.edits.alone(async () => {
        const query = new URLSearchParams({ name: file.name });
        const taken = await sendText("POST", `${this.path}/regions.geojson?${query}`, await file.text(), "application/geo+json");
        const parts = [some(taken.tumour, "tumour region"), some(taken.exclusions, "exclusion")];
        const passed = taken.passed_over ? ` ${some(taken.passed_over, "feature")} passed over: no areas.` : "";
        this.say(`Taken in from ${file.name}: ${parts.join(" and ")}.${passed}`);
        return taken.changed;
      });
    }
    this.input.value = "";
  }

  // Offered while the new count is untouched; later it is found in the list of commands.
  offer(review) {
    const { can_undo: done, can_redo: undone } = review.recount;
    const there = review.edits_of_other_counts > 0 && !done && !undone;
    byId("carry").hidden = !there;
    if (there) this.say(`${some(review.edits_of_other_counts, "correction")} of yours belong to an earlier count of this slide.`);
  }

  async carryOver() {
    byId("carry").hidden = true;
    await this.edits.alone(async () => {
      const carried = await send("POST", `${this.path}/carry-over`);
      const words = [`${some(carried.placed, "corrected cell")} found again`];
      if (carried.agreeing) words.push(`${carried.agreeing} of them counted so already`);
      if (carried.gone) words.push(`${carried.gone} taken out before and not found any more`);
      if (carried.regions) words.push(some(carried.regions, "region"));
      this.say(`Carried over: ${words.join(", ")}. ${carried.not_placed
        ? `${some(carried.not_placed, "correction")} could not be placed: the new count finds no such cell.` : "None was lost."}`);
      return carried.changed;
    });
  }

  say(words) { byId("taken-in").textContent = words; }
}
