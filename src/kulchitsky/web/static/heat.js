// Heat map: cells per bin and the positive share among them, drawn from small tiles that the server counted.
import { getBytes } from "./api.js";

const WANTED_BIN_PX = 7;
const KEPT = 200;

// Share of positive cells → colour (perceptually even, readable without red–green vision).
const STOPS = [[0, 68, 84, 150], [0.03, 62, 120, 170], [0.2, 72, 170, 130], [0.5, 240, 190, 60], [1, 220, 50, 32]];

function colour(share) {
  let i = 1;
  while (i < STOPS.length - 1 && share > STOPS[i][0]) i++;
  const [s0, ...a] = STOPS[i - 1], [s1, ...b] = STOPS[i];
  const f = Math.min(1, Math.max(0, (share - s0) / (s1 - s0)));
  return a.map((v, k) => v + f * (b[k] - v));
}

export class Heat {
  constructor(slideId, review, onArrival) {
    this.path = `/slides/${slideId}/heat`;
    this.binUm = review.heat_bin_um;
    this.levels = review.heat_levels;
    this.bins = review.heat_tile_bins;
    this.tiles = new Map();
    this.waiting = new Set();
    this.generation = 0;
    this.onArrival = onArrival;
  }

  stale() { this.generation++; }

  level(scale) {
    const level = Math.round(Math.log2(WANTED_BIN_PX / (scale * this.binUm)));
    return Math.min(Math.max(level, 0), this.levels - 1);
  }

  draw(context, transform, rectangle, extent) {
    const level = this.level(transform.scale);
    const side = this.binUm * this.bins * 2 ** level;
    context.imageSmoothingEnabled = false;
    const from = (v) => Math.max(0, Math.floor(v / side));
    const lastColumn = Math.floor(Math.min(rectangle.right, extent.width) / side);
    const lastRow = Math.floor(Math.min(rectangle.bottom, extent.height) / side);
    for (let r = from(rectangle.top); r <= lastRow; r++) {
      for (let c = from(rectangle.left); c <= lastColumn; c++) {
        const tile = this.tile(`${level}/${c}/${r}`);
        if (!tile) continue;
        const size = side * transform.scale;
        context.drawImage(tile, transform.dx + c * size, transform.dy + r * size, size, size);
      }
    }
    return this.binUm * 2 ** level;
  }

  tile(key) {
    const known = this.tiles.get(key);
    if ((!known || known.generation !== this.generation) && !this.waiting.has(key)) this.fetch(key);
    return known?.picture;
  }

  async fetch(key) {
    this.waiting.add(key);
    const generation = this.generation;
    try {
      const picture = this.paint(await getBytes(`${this.path}/${key}`), Number(key.split("/")[0]));
      this.tiles.delete(key);
      this.tiles.set(key, { generation, picture });
      for (const old of this.tiles.keys()) {
        if (this.tiles.size <= KEPT) break;
        this.tiles.delete(old);
      }
    } catch (error) {
      console.warn(`heat map ${key}: ${error.message}`);
    }
    this.waiting.delete(key);
    this.onArrival();
  }

  paint(bytes, level) {
    const [bins] = new Uint32Array(bytes, 0, 1);
    const n = bins * bins;
    const counted = new Uint32Array(bytes, 8, n), positive = new Uint32Array(bytes, 8 + 4 * n, n);
    const picture = new OffscreenCanvas(bins, bins);
    const context = picture.getContext("2d");
    const image = context.createImageData(bins, bins);
    // a bin this full is drawn solid: 4 cells per 16 µm square is dense tissue
    const full = 4 * 4 ** level * (this.binUm / 16) ** 2;
    for (let i = 0; i < n; i++) {
      if (!counted[i]) continue;
      const [red, green, blue] = colour(positive[i] / counted[i]);
      image.data.set([red, green, blue, 255 * Math.min(1, 0.35 + 0.65 * counted[i] / full)], 4 * i);
    }
    context.putImageData(image, 0, 0);
    return picture;
  }
}
