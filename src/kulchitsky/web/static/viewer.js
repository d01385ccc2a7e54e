// The slide viewer: puts the parts together.
import { getJson } from "./api.js";
import { CellInfo } from "./cell_info.js";
import { Cells } from "./cells.js";
import { CountRun } from "./count.js";
import { Edits } from "./edits.js";
import { Frame } from "./frame.js";
import { Heat } from "./heat.js";
import { commandsOf } from "./commands.js";
import { Doubtful } from "./doubtful.js";
import { bindKeys } from "./keys.js";
import { Overlay } from "./overlay.js";
import { Palette } from "./palette.js";
import { Panel } from "./panel.js";
import { Permalink } from "./permalink.js";
import { drawScalebar } from "./scalebar.js";
import { showReading } from "./reading_of_stain.js";
import { SecondReader } from "./second_reader.js";
import { TakingIn } from "./taking_in.js";
import { Tools } from "./tools.js";

const slide = JSON.parse(document.getElementById("main").dataset.view);
const slideId = slide.id;
const panel = new Panel();

const osd = new OpenSeadragon({
  element: document.getElementById("slide"),
  drawer: "canvas",
  showNavigationControl: false,
  showNavigator: true,
  navigatorPosition: "TOP_RIGHT",
  navigatorSizeRatio: 0.16,
  navigatorAutoFade: false,
  navigatorOpacity: 1,
  tileSources: {
    width: slide.width_px,
    height: slide.height_px,
    tileSize: slide.tile_px,
    tileOverlap: 0,
    minLevel: 0,
    maxLevel: slide.max_level,
    getTileUrl: (level, column, row) => `/slides/${slideId}/tiles/${level}/${column}/${row}`,
  },
  gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false },
  gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: false },
  animationTime: 0.35,
  blendTime: 0,
  maxZoomPixelRatio: 4,
  minZoomImageRatio: 0.8,
  visibilityRatio: 0.3,
  imageLoaderLimit: 6,
  maxImageCacheCount: 400,
  placeholderFillStyle: null,
});

const frame = new Frame(osd, slide);
const shown = { cells: true, regions: true, fill: true, heat: false, names: true, spots: true, grid: false };
const overlay = new Overlay(document.getElementById("overlay"), frame, shown);
overlay.onNotice = (text) => panel.notice(text);
osd.canvas.append(overlay.canvas); // under the overview, over the slide
const edits = new Edits(slideId, { overlay, panel });
const tools = new Tools({ osd, frame, overlay, edits });
const secondReader = new SecondReader(slideId, edits);
const cellInfo = new CellInfo(slideId, { osd, frame, tools, overlay });
const doubtful = new Doubtful(slideId, { frame, overlay, panel, edits });
const takingIn = new TakingIn(slideId, { edits, panel });
const permalink = new Permalink(frame, shown, () => overlay.ask());

osd.addHandler("update-viewport", () => drawScalebar(frame, slide));
osd.addHandler("open", () => { permalink.apply(); overlay.ask(); });
new OpenSeadragon.MouseTracker({
  element: osd.container,
  moveHandler: (event) => panel.position(slide.um_per_px ? frame.toUm(event.position.x, event.position.y) : null),
});

async function loadReview() {
  const review = await getJson(`/slides/${slideId}/review.json`);
  overlay.review = review;
  overlay.cells = new Cells(slideId, review, () => overlay.ask());
  overlay.heat = new Heat(slideId, review, () => overlay.ask());
  edits.start(review);
  panel.review(review, (x, y, across) => frame.show(x, y, across));
  secondReader.show(review);
  takingIn.offer(review);
  doubtful.end();
  overlay.ask();
}

// for benchmarks and tests that look at frames
window.kulchitsky = { osd, overlay, frame, edits, doubtful };

// Counted again while the reader looks on: the corrections come along at once.
async function afterCount() {
  await loadReview();
  if (overlay.review.edits_of_other_counts) await takingIn.carryOver();
}

const counts = slide.stain === "ki67";
const run = new CountRun(slideId, counts ? afterCount : () => showReading(slideId));
panel.bind({ osd, overlay, shown, edits, tools, slideId });
panel.commands = commandsOf({ osd, frame, overlay, shown, edits, tools, panel, doubtful, cellInfo, takingIn, secondReader, slide });
panel.palette = new Palette(panel.commands);
bindKeys({ commands: panel.commands, tools, panel, edits });
if (slide.counted) await (counts ? loadReview() : showReading(slideId));
await run.resume();
