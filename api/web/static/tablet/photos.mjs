// Photos of defects: made small, kept under their SHA-256, sent apart from the journal.

import { got, PIECES, within } from "./store.mjs";

const MOST_PX = 1600;
const QUALITY = 0.8;
const PREFIX = "photo/";
const RANGE = () => IDBKeyRange.bound(PREFIX, `${PREFIX}\uffff`);

/** Keep a photo; gives the id under which the journal speaks of it. */
export async function keepPhoto(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, MOST_PX / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  // Drawn anew, so that the place and the camera written into the file stay out.
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  const bytes = await blob.arrayBuffer();
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const id = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
  await within([PIECES], "readwrite", ({ pieces }) => got(pieces.put(bytes, PREFIX + id)));
  return id;
}

/** Send the photos that wait; each leaves once the server has it. */
export async function sendPhotos() {
  const keys = await within([PIECES], "readonly", ({ pieces }) => got(pieces.getAllKeys(RANGE())));
  for (const key of keys) {
    const bytes = await within([PIECES], "readonly", ({ pieces }) => got(pieces.get(key)));
    const answer = await fetch(`/api/v1/sync/uploads/photos/${key.slice(PREFIX.length)}`, {
      method: "PUT", body: bytes, headers: { "content-type": "image/jpeg" },
    });
    if (!answer.ok) throw Object.assign(new Error(`${answer.status}`), { status: answer.status });
    await within([PIECES], "readwrite", ({ pieces }) => got(pieces.delete(key)));
  }
}

/** How many wait. */
export const countPhotos = () => within([PIECES], "readonly", ({ pieces }) => got(pieces.count(RANGE())));
