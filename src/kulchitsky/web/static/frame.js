// Where things are on the screen: micrometres ↔ pixels of the slide ↔ pixels of the window.

export class Frame {
  constructor(osd, slide) {
    this.osd = osd;
    this.slide = slide;
  }

  get umPerPx() { return this.slide.um_per_px ?? 1; }

  // Screen pixels per µm and the screen position of (0, 0) µm: one multiplication and addition per cell.
  transform() {
    const viewport = this.osd.viewport;
    const zero = viewport.pixelFromPoint(new OpenSeadragon.Point(0, 0), true);
    const one = viewport.pixelFromPoint(new OpenSeadragon.Point(1, 0), true);
    const perPx = (one.x - zero.x) / this.slide.width_px;
    return { scale: perPx / this.umPerPx, dx: zero.x, dy: zero.y, perPx };
  }

  toUm(x, y) {
    const t = this.transform();
    return [(x - t.dx) / t.scale, (y - t.dy) / t.scale];
  }

  // The rectangle of the slide that is on the screen, in µm.
  visible() {
    const { clientWidth, clientHeight } = this.osd.container;
    const [left, top] = this.toUm(0, 0);
    const [right, bottom] = this.toUm(clientWidth, clientHeight);
    return { left, top, right, bottom };
  }

  centre() {
    const v = this.visible();
    return [(v.left + v.right) / 2, (v.top + v.bottom) / 2];
  }

  // Centre on a point in µm, so that `acrossUm` fits the width of the window.
  show(x, y, acrossUm, immediately = false) {
    const px = x / this.umPerPx / this.slide.width_px;
    const py = y / this.umPerPx / this.slide.width_px;
    const width = acrossUm / this.umPerPx / this.slide.width_px;
    const height = width * this.osd.container.clientHeight / this.osd.container.clientWidth;
    this.osd.viewport.fitBounds(new OpenSeadragon.Rect(px - width / 2, py - height / 2, width, height), immediately);
  }
}
