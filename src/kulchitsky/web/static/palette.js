// The list of every command (Ctrl+L, as in QuPath): type a few letters of some words, Enter runs the marked one.
import { possible } from "./commands.js";

export class Palette {
  constructor(commands) {
    this.commands = commands;
    this.dialog = document.getElementById("commands");
    this.search = document.getElementById("command-search");
    this.list = document.getElementById("command-list");
    this.none = document.getElementById("command-none");
    this.marked = 0;
    this.search.addEventListener("input", () => this.show());
    this.search.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li");
      if (item) this.run(Number(item.dataset.number));
    });
  }

  open() {
    this.search.value = "";
    this.show();
    this.dialog.showModal();
    this.search.focus();
  }

  show() {
    const wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = this.commands.filter((c) => possible(c) && wanted.every((w) => `${c.words} ${c.key}`.toLowerCase().includes(w)));
    this.list.replaceChildren(...this.found.map((command, i) => {
      const item = document.createElement("li");
      item.id = `command-${i}`;
      item.role = "option";
      item.dataset.number = i;
      item.textContent = command.words;
      if (command.key) {
        const key = document.createElement("kbd");
        key.textContent = command.key.replace("Arrow", "");
        item.append(" ", key);
      }
      return item;
    }));
    this.none.hidden = this.found.length > 0;
    this.mark(0);
  }

  mark(number) {
    this.marked = Math.min(Math.max(number, 0), Math.max(this.found.length - 1, 0));
    for (const [i, item] of [...this.list.children].entries()) item.setAttribute("aria-selected", String(i === this.marked));
    const item = this.list.children[this.marked];
    if (item) this.search.setAttribute("aria-activedescendant", item.id);
    else this.search.removeAttribute("aria-activedescendant");
    item?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 8, PageUp: -8 }[event.key];
    if (step) this.mark(this.marked + step);
    else if (event.key === "Enter") this.run(this.marked);
    else return;
    event.preventDefault();
  }

  run(number) {
    const command = this.found[number];
    if (!command) return;
    this.dialog.close();
    document.getElementById("slide").focus({ preventScroll: true });
    command.act();
  }
}
