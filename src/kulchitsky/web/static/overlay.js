// Draws cells or heat map, regions and hot spots over the slide; one canvas, redrawn when something moves.
import { NEGATIVE, POSITIVE, OUT } from "./cells.js";
import { drawGrid, drawMeasure, label, twoLines } from "./lines.js";

// Where the name of a hot spot stands on its rim: spots overlap, their names should not.
const corner = (x, y, radius, number) => [x + radius * (number % 2 ? 0.35 : -0.7), y + radius * (number % 2 ? 0.94 : -0.7)];

export const MOST_CELLS = 60000;
const COLOURS = { [NEGATIVE]: "#2a62d8", [POSITIVE]: "#d9332b", [OUT]: "#555555" };
const CELL_RADIUS_UM = 3.2;

export class Overlay {
  constructor(canvas, frame, shown) {
    this.canvas = canvas;
    this.frame = frame;
    this.shown = shown;
    this.context = canvas.getContext("2d");
    this.cells = null;
    this.heat = null;
    this.review = null;
    this.draft = null;
    this.measure = null;
    this.pointed = null;
    this.gridUm = 250;
    this.notice = "";
    this.opacity = 0.85;
    this.asked = false;
    this.frameTimes = [];
    frame.osd.addHandler("update-viewport", () => this.draw());
    new ResizeObserver(() => this.ask()).observe(canvas);
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.asked = false;
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.canvas.clientWidth * ratio), height = Math.round(this.canvas.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.context;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.notice = "";
    if (this.frame.osd.isOpen()) {
      if (this.review) this.paint(context);
      this.paintTools(context, this.frame.transform());
    }
    this.onNotice?.(this.notice);
  }

  paint(context) {
    const transform = this.frame.transform();
    const rectangle = this.frame.visible();
    context.globalAlpha = this.opacity;
    const many = this.cells.countIn(rectangle);
    this.heated = this.shown.heat || (this.shown.cells && many > MOST_CELLS);
    if (this.heated) this.paintHeat(context, transform, rectangle, many);
    else if (this.shown.cells) this.paintCells(context, transform, rectangle);
    context.globalAlpha = 1;
    if (this.shown.regions) this.paintRegions(context, transform);
    if (this.shown.spots) this.paintSpots(context, transform);
    if (this.draft) this.paintDraft(context, transform);
    if (this.pointed) this.paintPointed(context, transform);
  }

  paintTools(context, transform) {
    if (this.shown.grid) drawGrid(context, transform, this.canvas, this.gridUm);
    if (this.measure) drawMeasure(context, transform, this.measure);
  }

  // A ring around the cell that a queue has come to; the cell itself stays free to be judged.
  paintPointed(context, { scale, dx, dy }) {
    const [x, y] = this.pointed;
    context.beginPath();
    context.arc(x * scale + dx, y * scale + dy, Math.max(14, 2.4 * this.radius(scale)), 0, 2 * Math.PI);
    twoLines(context, "#111");
  }

  paintHeat(context, transform, rectangle, many) {
    const extent = { width: this.cells.columns * this.cells.side, height: this.cells.rows * this.cells.side };
    const bin = this.heat.draw(context, transform, rectangle, extent);
    const size = bin >= 1000 ? `${bin / 1000} mm` : `${bin} µm`;
    this.notice = `Heat map, not single cells: positive share per ${size} square of about ${many.toLocaleString("en")} cells in view. ` +
      (this.shown.heat ? "C shows the cells again." : "Zoom in to see every cell.");
  }

  radius(scale = this.frame.transform().scale) { return Math.max(1, CELL_RADIUS_UM * scale); }

  paintCells(context, transform, rectangle) {
    const { scale, dx, dy } = transform;
    const radius = this.radius(scale);
    const groups = { [OUT]: [], [NEGATIVE]: [], [POSITIVE]: [] };
    const right = this.canvas.clientWidth + radius, bottom = this.canvas.clientHeight + radius;
    for (const square of this.cells.inView(rectangle)) {
      for (let i = 0; i < square.n; i++) {
        const x = square.x[i] * scale + dx, y = square.y[i] * scale + dy;
        if (x > -radius && y > -radius && x < right && y < bottom) groups[square.klass[i]]?.push(x, y);
      }
    }
    for (const klass of [OUT, NEGATIVE, POSITIVE]) this.paintGroup(context, groups[klass], Number(klass), radius);
  }

  paintGroup(context, points, klass, radius) {
    context.fillStyle = context.strokeStyle = COLOURS[klass];
    if (radius < 2.2) {
      const side = Math.max(1.5, radius * 1.6);
      if (klass !== OUT) for (let i = 0; i < points.length; i += 2) context.fillRect(points[i] - side / 2, points[i + 1] - side / 2, side, side);
      return;
    }
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) {
      context.moveTo(points[i] + radius, points[i + 1]);
      context.arc(points[i], points[i + 1], radius, 0, 2 * Math.PI);
    }
    context.lineWidth = klass === OUT ? 1.2 : 2;
    // a fill would hide the stain that the reader judges: light when large, none for cells that do not count
    const opacity = context.globalAlpha;
    if (this.shown.fill && klass !== OUT) {
      context.globalAlpha = opacity * (radius > 6 ? 0.24 : 0.6);
      context.fill();
      context.globalAlpha = opacity;
    }
    context.stroke();
    // a dot tells positive cells without colour
    if (this.shown.fill && klass === POSITIVE && radius > 5) {
      context.beginPath();
      for (let i = 0; i < points.length; i += 2) {
        context.moveTo(points[i] + 1.7, points[i + 1]);
        context.arc(points[i], points[i + 1], 1.7, 0, 2 * Math.PI);
      }
      context.fill();
    }
  }

  paintRegions(context, transform) {
    for (const region of this.review.regions) {
      this.outline(context, transform, region.polygon, region.role === "tumour" ? "#0b7a3b" : "#8a5a00", region.role === "exclusion");
      if (this.shown.names) label(context, transform, region.polygon[0], `${region.role === "tumour" ? "Tumour" : "Exclusion"} ${region.region}`);
    }
  }

  paintSpots(context, transform) {
    this.review.hotspots.forEach((spot, i) => {
      const radius = spot.radius_um ?? Math.sqrt(spot.area_mm2 / Math.PI) * 1000;
      const [x, y] = spot.centre_um;
      context.beginPath();
      context.arc(x * transform.scale + transform.dx, y * transform.scale + transform.dy, radius * transform.scale, 0, 2 * Math.PI);
      twoLines(context, "#b000b8");
      if (this.shown.names) label(context, transform, corner(x, y, radius, i), `Hot spot ${i + 1}${spot.cells_wanted ? `: ${spot.cells_wanted} cells` : ""}`);
    });
  }

  paintDraft(context, transform) {
    if (this.draft.length > 1) this.outline(context, transform, this.draft, "#111", true);
  }

  outline(context, transform, polygon, colour, dashed) {
    context.beginPath();
    polygon.forEach(([x, y], i) => context[i ? "lineTo" : "moveTo"](x * transform.scale + transform.dx, y * transform.scale + transform.dy));
    context.closePath();
    context.setLineDash(dashed ? [8, 5] : []);
    twoLines(context, colour);
    context.setLineDash([]);
  }
}
