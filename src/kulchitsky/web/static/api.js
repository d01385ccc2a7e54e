// Requests to this server: the CSRF token goes with every change, an error becomes a sentence.

const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function answer(response) {
  if (response.ok) return response;
  let message = `${response.status} ${response.statusText}`;
  try { message = (await response.json()).error ?? message; } catch { /* not JSON: the status says enough */ }
  throw new Error(message);
}

export async function getJson(path) {
  return (await answer(await fetch(path, { headers: { Accept: "application/json" } }))).json();
}

export async function getBytes(path, signal) {
  return (await answer(await fetch(path, { signal }))).arrayBuffer();
}

export async function send(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return (await answer(response)).json();
}

export async function sendText(method, path, text, type) {
  const headers = { "Content-Type": type, Accept: "application/json", "X-CSRF-Token": csrf };
  return (await answer(await fetch(path, { method, headers, body: text }))).json();
}

export function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", (e) => e.lengthComputable && onProgress(100 * e.loaded / e.total));
    request.addEventListener("load", () => request.status < 300 ? resolve(request.response)
      : reject(new Error(request.response?.error ?? `${request.status} ${request.statusText}`)));
    request.addEventListener("error", () => reject(new Error("the connection was lost")));
    request.send(file);
  });
}
