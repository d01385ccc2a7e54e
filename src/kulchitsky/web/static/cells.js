// Cells of the squares in view, as typed arrays: fetched when needed, forgotten when long unseen.
import { getBytes } from "./api.js";

const KEPT = 600;
const AT_ONCE = 6;

export const NEGATIVE = 0, POSITIVE = 1, OUT = 2;

export class Cells {
  constructor(slideId, review, onArrival) {
    this.path = `/slides/${slideId}/cells`;
    this.side = review.square_um;
    this.columns = review.square_columns;
    this.rows = review.square_rows;
    this.counts = review.square_cells;
    this.squares = new Map();
    this.waiting = new Map();
    this.queue = [];
    this.running = 0;
    this.onArrival = onArrival;
  }

  range({ left, top, right, bottom }) {
    const clamp = (v, high) => Math.min(Math.max(Math.floor(v / this.side), 0), high - 1);
    return {
      c0: clamp(left, this.columns), c1: clamp(right, this.columns),
      r0: clamp(top, this.rows), r1: clamp(bottom, this.rows),
      empty: right < 0 || bottom < 0 || left > this.columns * this.side || top > this.rows * this.side,
    };
  }

  // How many cells the squares in view hold: decides between true cells and the heat map.
  countIn(rectangle) {
    const { c0, c1, r0, r1, empty } = this.range(rectangle);
    let sum = 0;
    if (!empty) for (let r = r0; r <= r1; r++) for (let c = c0; c <= c1; c++) sum += this.counts[r * this.columns + c];
    return sum;
  }

  // Squares in view that are here; the missing ones are asked for.
  inView(rectangle) {
    const { c0, c1, r0, r1, empty } = this.range(rectangle);
    const here = [];
    this.queue.length = 0;
    if (empty) return here;
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) {
        const key = `${c}/${r}`;
        const square = this.squares.get(key);
        if (square) {
          this.squares.delete(key); // to the young end of the map
          this.squares.set(key, square);
          here.push(square);
        }
        if ((!square || square.stale) && !this.waiting.has(key)) this.queue.push(key);
      }
    }
    this.pump();
    return here;
  }

  // Cells changed: fetch again what changed, keep showing the old until the new is here.
  stale(squares) {
    if (squares === null) {
      for (const square of this.squares.values()) square.stale = true;
      return;
    }
    for (const [c, r] of squares) {
      const square = this.squares.get(`${c}/${r}`);
      if (square) square.stale = true;
    }
  }

  pump() {
    while (this.running < AT_ONCE && this.queue.length) {
      const key = this.queue.shift();
      if (!this.waiting.has(key)) this.fetch(key);
    }
  }

  async fetch(key) {
    this.running++;
    this.waiting.set(key, true);
    try {
      this.keep(key, await getBytes(`${this.path}/${key}`));
    } catch (error) {
      console.warn(`cells ${key}: ${error.message}`);
    }
    this.waiting.delete(key);
    this.running--;
    this.pump();
    this.onArrival();
  }

  keep(key, bytes) {
    const [n] = new Uint32Array(bytes, 0, 1);
    const square = {
      key,
      n,
      stale: false,
      id: new Uint32Array(bytes, 8, n),
      x: new Float32Array(bytes, 8 + 4 * n, n),
      y: new Float32Array(bytes, 8 + 8 * n, n),
      klass: new Uint8Array(bytes, 8 + 12 * n, n),
    };
    this.squares.delete(key);
    this.squares.set(key, square);
    for (const old of this.squares.keys()) {
      if (this.squares.size <= KEPT) break;
      this.squares.delete(old);
    }
  }

  nearest(x, y, withinUm) {
    let best = null, bestDistance = withinUm * withinUm;
    const box = { left: x - withinUm, top: y - withinUm, right: x + withinUm, bottom: y + withinUm };
    const { c0, c1, r0, r1 } = this.range(box);
    for (let r = r0; r <= r1; r++) {
      for (let c = c0; c <= c1; c++) {
        const square = this.squares.get(`${c}/${r}`);
        if (!square) continue;
        for (let i = 0; i < square.n; i++) {
          const d = (square.x[i] - x) ** 2 + (square.y[i] - y) ** 2;
          if (d < bestDistance) {
            bestDistance = d;
            best = { square, i, id: square.id[i], klass: square.klass[i], x: square.x[i], y: square.y[i] };
          }
        }
      }
    }
    return best;
  }
}
