// What-if without a reload: a choice is asked of the server and the lists are replaced; the address follows.
const form = document.getElementById("what-if");
let asking = 0;

async function show() {
  const values = [...new FormData(form)].filter(([, value]) => value);
  const query = new URLSearchParams(values);
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  const mine = ++asking;
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  if (mine !== asking) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const id of ["ranking", "next", "challenge"]) {
    const fresh = page.getElementById(id), old = document.getElementById(id);
    if (fresh && old) old.replaceWith(fresh);
  }
  history.replaceState(null, "", address);
}

form.addEventListener("change", show);
document.getElementById("what-if-button").hidden = true;
