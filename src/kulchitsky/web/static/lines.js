// Lines and words over a slide: seen on any tissue, sized in µm.

const LEAST_SQUARE_PX = 8;

// A light line under a dark one is seen on any tissue.
export function twoLines(context, colour) {
  context.lineWidth = 5;
  context.strokeStyle = "rgb(255 255 255 / .8)";
  context.stroke();
  context.lineWidth = 2.2;
  context.strokeStyle = colour;
  context.stroke();
}

export function label(context, transform, [x, y], text) {
  context.font = "600 13px system-ui, sans-serif";
  const px = x * transform.scale + transform.dx, py = y * transform.scale + transform.dy;
  const width = context.measureText(text).width;
  context.fillStyle = "rgb(255 255 255 / .88)";
  context.fillRect(px - 4, py - 19, width + 8, 18);
  context.fillStyle = "#111";
  context.fillText(text, px, py - 5);
}

// Squares of a stated size from the slide's corner; none where they would be too small to tell apart.
export function drawGrid(context, { scale, dx, dy }, canvas, um) {
  const side = um * scale;
  if (side < LEAST_SQUARE_PX) return false;
  const { clientWidth: width, clientHeight: height } = canvas;
  context.beginPath();
  for (let x = dx + Math.max(0, Math.ceil(-dx / side)) * side; x < width; x += side) {
    context.moveTo(x, Math.max(0, dy));
    context.lineTo(x, height);
  }
  for (let y = dy + Math.max(0, Math.ceil(-dy / side)) * side; y < height; y += side) {
    context.moveTo(Math.max(0, dx), y);
    context.lineTo(width, y);
  }
  context.lineWidth = 3;
  context.strokeStyle = "rgb(255 255 255 / .55)";
  context.stroke();
  context.lineWidth = 1;
  context.strokeStyle = "rgb(20 24 32 / .8)";
  context.stroke();
  return true;
}

export function lengthWords(um) {
  return um >= 1000 ? `${(um / 1000).toFixed(2)} mm` : `${um.toFixed(1)} µm`;
}

export function drawMeasure(context, transform, [from, to]) {
  const at = ([x, y]) => [x * transform.scale + transform.dx, y * transform.scale + transform.dy];
  const [x0, y0] = at(from), [x1, y1] = at(to);
  context.beginPath();
  context.moveTo(x0, y0);
  context.lineTo(x1, y1);
  const across = Math.atan2(y1 - y0, x1 - x0) + Math.PI / 2;
  for (const [x, y] of [[x0, y0], [x1, y1]]) {
    context.moveTo(x - 6 * Math.cos(across), y - 6 * Math.sin(across));
    context.lineTo(x + 6 * Math.cos(across), y + 6 * Math.sin(across));
  }
  twoLines(context, "#111");
  label(context, transform, to, lengthWords(Math.hypot(to[0] - from[0], to[1] - from[1])));
}
