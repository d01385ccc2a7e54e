// Pointing at a fact shows its place in the text, and the other way round.
const facts = new Map([...document.querySelectorAll("[data-fact]")].map((li) => [li.dataset.fact, li]));
const marks = [...document.querySelectorAll("mark[data-facts]")];

function point(numbers, from) {
  for (const mark of marks) mark.classList.toggle("pointed", mark.dataset.facts.split(" ").some((n) => numbers.has(n)));
  for (const [n, li] of facts) li.classList.toggle("pointed", numbers.has(n));
  if (from === "text") facts.get([...numbers][0])?.scrollIntoView({ block: "nearest" });
  if (from === "facts") marks.find((m) => m.classList.contains("pointed"))?.scrollIntoView({ block: "nearest" });
}

for (const mark of marks) mark.addEventListener("click", () => point(new Set(mark.dataset.facts.split(" ")), "text"));
for (const [n, li] of facts) {
  li.addEventListener("pointerenter", () => point(new Set([n]), "hover"));
  li.addEventListener("focusin", () => point(new Set([n]), "facts"));
}
for (const box of document.querySelectorAll('input[name="keep"]')) {
  const show = () => {
    for (const mark of marks) {
      const kept = mark.dataset.facts.split(" ").some((n) => facts.get(n)?.querySelector('input[name="keep"]').checked);
      mark.classList.toggle("dropped", !kept);
    }
  };
  box.addEventListener("change", show);
}
