// The view in the address: centre and width in µm, and what is shown; a link opens the same view.

export class Permalink {
  constructor(frame, shown, redraw) {
    this.frame = frame;
    this.shown = shown;
    this.redraw = redraw;
    this.own = "";
    frame.osd.addHandler("animation-finish", () => this.write());
    addEventListener("hashchange", () => { if (location.hash !== this.own) this.apply(); });
  }

  apply() {
    const values = new URLSearchParams(location.hash.slice(1));
    const [x, y, across] = ["x", "y", "w"].map((key) => Number.parseFloat(values.get(key)));
    if ([x, y, across].every(Number.isFinite) && across > 0) this.frame.show(x, y, across, true);
    if (values.has("hide")) {
      for (const name of values.get("hide").split(",")) if (name in this.shown) this.shown[name] = false;
    }
    this.redraw();
  }

  write() {
    const [x, y] = this.frame.centre();
    const { left, right } = this.frame.visible();
    this.own = `#x=${x.toFixed(1)}&y=${y.toFixed(1)}&w=${(right - left).toFixed(1)}`;
    history.replaceState(null, "", this.own);
  }
}
