// A bar of a round length in µm or mm, and the magnification it corresponds to.
const bar = document.getElementById("scalebar");
const line = document.getElementById("scalebar-line");
const text = document.getElementById("scalebar-text");
const magnification = document.getElementById("magnification");
const UM_PER_PX_AT_10X = 1;

export function drawScalebar(frame, slide) {
  if (!slide.um_per_px) return;
  const { scale } = frame.transform();
  const wanted = 120 / scale;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const length = [5, 2, 1].map((m) => m * power).find((l) => l <= wanted) ?? power;
  const width = length * scale;
  bar.hidden = false;
  bar.querySelector("svg").setAttribute("width", width + 2);
  line.setAttribute("d", `M1 0v7h${width.toFixed(1)}v-7`);
  text.textContent = length >= 1000 ? `${length / 1000} mm` : `${length} µm`;
  const times = 10 * UM_PER_PX_AT_10X * scale;
  magnification.textContent = `${times >= 10 ? times.toFixed(0) : times.toPrecision(2)}×`;
}
