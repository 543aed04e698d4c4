// Files given by choosing or dropping: each is sent as it is, with its progress, then the page is renewed.

const zone = document.querySelector("[data-upload]");
const words = zone ? JSON.parse(zone.dataset.words) : {};
const input = zone?.querySelector("input[type=file]");
const list = zone?.querySelector(".uploads");

function send(file) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  const bar = document.createElement("progress");
  const told = document.createElement("span");
  name.textContent = file.name;
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  told.className = "small";
  told.setAttribute("role", "status");
  told.textContent = words.uploading;
  item.append(name, bar, told);
  list.append(item);
  list.hidden = false;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `${zone.dataset.upload}?name=${encodeURIComponent(file.name)}`);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = event.loaded / event.total;
    });
    const end = (isTaken, text) => {
      bar.hidden = true;
      told.textContent = text;
      told.className = isTaken ? "small" : "fault";
      told.setAttribute("role", isTaken ? "status" : "alert");
      resolve(isTaken);
    };
    request.addEventListener("load", () => {
      if (request.status === 201) { end(true, words.done); return; }
      let message = words.failed;
      try { message = JSON.parse(request.responseText).message; } catch { /* no answer of ours */ }
      end(false, message);
    });
    request.addEventListener("error", () => end(false, words.failed));
    request.send(file);
  });
}

async function take(files) {
  if (files.length === 0) return;
  input.disabled = true;
  const taken = [];
  for (const file of files) taken.push(await send(file));
  input.disabled = false;
  input.value = "";
  if (taken.every(Boolean)) { location.reload(); return; }
  if (!taken.some(Boolean)) return;
  // What was refused stays to be read; what was taken shows when the page is renewed.
  const renew = document.createElement("a");
  renew.href = location.pathname;
  renew.className = "button";
  renew.textContent = words.renew;
  list.after(renew);
}

if (zone) {
  input.addEventListener("change", () => take([...input.files]));
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  // Chosen before this script was there.
  take([...input.files]);
}
