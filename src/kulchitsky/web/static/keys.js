// The keys of the commands; in QuPath's manner a letter alone.
import { possible } from "./commands.js";

export function bindKeys({ commands, tools, panel, edits }) {
  const stage = document.getElementById("stage");
  const actions = new Map(commands.filter((c) => c.key && c.act).map((c) => [c.key.toLowerCase(), c]));
  actions.set("=", actions.get("+"));
  tools.osd.addHandler("canvas-key", (event) => { event.preventDefaultAction = true; });
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    const control = event.ctrlKey || event.metaKey;
    if (isTyping(event.target) && !(control && event.key.toLowerCase() === "l")) return;
    if (event.key === " " && !control) {
      if (event.target.closest("button, a, summary, select, label")) return;
      tools.panning = true;
      event.preventDefault();
      return;
    }
    const act = control ? withControl(event, edits, panel) : plain(event, actions);
    if (!act) return;
    event.preventDefault();
    act();
  });
  addEventListener("keyup", (event) => { if (event.key === " ") tools.panning = false; });
  stage.addEventListener("pointerdown", () => stage.classList.remove("keyboard"));
}

function plain(event, actions) {
  if (event.altKey) return null;
  // Enter and the arrows belong to whatever control has the focus, unless that is the slide
  const onControl = event.target.closest("button, a, summary, select, input, [tabindex='0']:not(#slide)");
  if (onControl && !onControl.closest("#slide") && /^(Enter|Arrow|Delete)/.test(event.key)) return null;
  const command = actions.get(event.key.toLowerCase());
  return command && possible(command) ? command.act : null;
}

function withControl(event, edits, panel) {
  const key = event.key.toLowerCase();
  if (key === "z") return () => edits.step(event.shiftKey ? "redo" : "undo");
  if (key === "y") return () => edits.step("redo");
  if (key === "l") return () => panel.showCommands();
  return null;
}

function isTyping(element) {
  return element.matches("input:not([type=range]):not([type=checkbox]):not([type=file]), textarea, select");
}
