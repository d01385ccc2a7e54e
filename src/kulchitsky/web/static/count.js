// A count on the server, with its progress as it runs.
import { send } from "./api.js";

const byId = (id) => document.getElementById(id);

export class CountRun {
  constructor(slideId, onDone) {
    this.path = `/slides/${slideId}/count`;
    this.onDone = onDone;
    byId("count-start").addEventListener("click", () => this.start());
    byId("count-stop").addEventListener("click", () => send("POST", `${this.path}/stop`).catch((error) => this.end(error.message)));
  }

  async start() {
    byId("count-start").disabled = true;
    byId("count-message").textContent = "";
    try {
      await send("POST", this.path, { detector: byId("count-detector").value });
      this.follow();
    } catch (error) {
      this.end(error.message);
    }
  }

  // A count that was running when the page was opened is followed again.
  async resume() {
    const response = await fetch(`${this.path}.json`, { headers: { Accept: "application/json" } });
    if (response.ok && (await response.json()).state === "running") this.follow();
  }

  follow() {
    const progress = byId("count-progress");
    progress.hidden = false;
    progress.removeAttribute("value");
    byId("count-start").disabled = true;
    byId("count-stop").hidden = false;
    const events = new EventSource(`${this.path}/events`);
    events.addEventListener("progress", (event) => {
      const { fraction, message } = JSON.parse(event.data);
      if (fraction !== null) progress.value = fraction;
      byId("count-message").textContent = message;
    });
    events.addEventListener("done", async () => { events.close(); this.end("Done."); await this.onDone(); });
    events.addEventListener("failed", (event) => { events.close(); this.end(JSON.parse(event.data).message); });
    events.addEventListener("error", () => { byId("count-message").textContent = "Waiting for the server …"; });
  }

  end(message) {
    byId("count-progress").hidden = true;
    byId("count-start").disabled = false;
    byId("count-stop").hidden = true;
    byId("count-message").textContent = message;
  }
}
