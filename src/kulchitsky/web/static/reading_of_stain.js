// What a slide of another stain than Ki-67 shows: extent, intensity, compartment, pattern, with example cells.
import { getJson } from "./api.js";

const byId = (id) => document.getElementById(id);
const words = (text) => String(text).replaceAll("_", " ");
const share = (fraction) => `${(100 * fraction).toFixed(0)} %`;
const sure = (value) => (value === null ? "" : ` (confidence ${share(value)})`);

export async function showReading(slideId) {
  const reading = await getJson(`/slides/${slideId}/reading.json`);
  byId("reading").hidden = false;
  byId("count-start").textContent = "Read again";
  byId("reading-share").value = reading.index_percent === null ? "–" : `${reading.index_percent.toFixed(1)} %`;
  const interval = reading.interval_95?.map((v) => v.toFixed(1)).join("–");
  byId("reading-cells").textContent = `${reading.positive} of ${reading.counted} tumour cells stained${interval ? `, 95 % interval ${interval} %` : ""}.`;
  const rows = [
    ["Extent", reading.extent && words(reading.extent)],
    ["Intensity", reading.intensity && words(reading.intensity)],
    ["0, 1+, 2+, 3+", reading.intensity_classes.map((s) => share(s.fraction)).join(", ")],
    ["H-score", reading.h_score?.toFixed(0)],
    ["Allred", reading.allred],
    ["Compartment", reading.compartment && words(reading.compartment) + sure(reading.compartment_confidence)],
    ["Pattern", reading.pattern && words(reading.pattern) + sure(reading.pattern_confidence)],
    ["Expected", reading.expected],
  ];
  byId("reading-list").replaceChildren(...rows.filter(([, value]) => value || value === 0).flatMap(([name, value]) => {
    const term = document.createElement("dt"), detail = document.createElement("dd");
    term.textContent = name;
    detail.textContent = value;
    return [term, detail];
  }));
  byId("reading-issues").replaceChildren(...reading.issues.map((issue) => {
    const p = document.createElement("p");
    p.className = `issue ${issue.level}`;
    p.textContent = issue.message;
    return p;
  }));
  byId("reading-pictures").replaceChildren(...["Fullest field, every cell marked by its strength", "Example cells"].map((text, i) => {
    const image = document.createElement("img");
    image.src = `/slides/${slideId}/pictures/${i + 1}?${Date.now()}`;
    image.alt = text;
    return image;
  }));
}
