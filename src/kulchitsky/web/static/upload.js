// Upload of a slide from the list of slides or from a case.
import { upload } from "./api.js";

const file = document.getElementById("upload-file");
const progress = document.getElementById("upload-progress");
const message = document.getElementById("upload-message");

file?.addEventListener("change", async () => {
  const chosen = file.files[0];
  if (!chosen) return;
  progress.hidden = false;
  message.value = `Uploading ${chosen.name} …`;
  const query = new URLSearchParams({ name: chosen.name });
  for (const key of ["case_id", "stain"]) {
    const value = file.form.elements[key]?.value;
    if (value) query.set(key, value);
  }
  try {
    const slide = await upload(`/slides/upload?${query}`, chosen, (percent) => { progress.value = percent; });
    location.assign(`/slides/${slide.id}`);
  } catch (error) {
    progress.hidden = true;
    message.value = error.message;
  }
});
