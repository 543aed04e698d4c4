// Codes from scanners: one that types like a keyboard, or the camera.

const GAP_MS = 300;
const LEAST = 3;
const MOST = 64;

let handler = () => {};
/** Who is told of a code. */
export const whenScanned = (call) => { handler = call; };

/** A code as it is compared: no gaps around it, nothing that cannot be printed. */
export const cleaned = (text) => text.replace(/[\u0000-\u001f\u007f]/g, "").trim().slice(0, MOST);

export function scanned(text) {
  const code = cleaned(text);
  if (code !== "") handler(code);
}

const isEditable = (element) => element?.matches?.("input, textarea, select, [contenteditable]") ?? false;

/** A scanner types by the keys of a Latin keyboard, whatever layout the tablet has chosen. */
function letterOf(event) {
  if (event.key.length !== 1) return "";
  if (event.key.charCodeAt(0) < 128) return event.key;
  const latin = event.code.match(/^Key([A-Z])$/)?.[1];
  if (latin === undefined) return event.key;
  return event.shiftKey ? latin : latin.toLowerCase();
}

/** Listen to a scanner on every screen; fields that are typed into keep what is typed. */
export function listen() {
  let buffer = "";
  let last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isEditable(event.target)) return;
    if (event.timeStamp - last > GAP_MS) buffer = "";
    last = event.timeStamp;
    if (event.key === "Enter" || event.key === "Tab") {
      if (buffer.length < LEAST) return;
      // Enter must not press the button that happens to have the focus.
      event.preventDefault();
      event.stopPropagation();
      const code = buffer;
      buffer = "";
      scanned(code);
      return;
    }
    const letter = letterOf(event);
    if (letter === "") return;
    buffer += letter;
    if (buffer.length > 1) event.preventDefault();
  }, { capture: true });
}

const FORMATS = ["code_128", "code_39", "codabar", "ean_13", "ean_8", "itf", "qr_code", "data_matrix"];

async function detector() {
  if ("BarcodeDetector" in globalThis) {
    const known = await BarcodeDetector.getSupportedFormats();
    const formats = FORMATS.filter((f) => known.includes(f));
    if (formats.includes("code_128")) return new BarcodeDetector({ formats });
  }
  const { BarcodeDetector: Ponyfill, prepareZXingModule } = await import("../vendor/barcode/barcode.mjs");
  prepareZXingModule({ overrides: { locateFile: (name) => new URL(`../vendor/barcode/${name}`, import.meta.url).href } });
  return new Ponyfill({ formats: FORMATS });
}

/**
 * Read codes by the camera until it is stopped; each code once until another is seen.
 *
 * @param {HTMLVideoElement} video
 * @returns {Promise<() => void>} stops it
 */
export async function watch(video, onCode) {
  const [reader, stream] = await Promise.all([
    detector(),
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false }),
  ]);
  let isOn = true;
  const stop = () => {
    isOn = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  try {
    await video.play();
  } catch (error) {
    stop();
    throw error;
  }
  let before = { code: "", at: 0 };
  const look = async () => {
    if (!isOn) return;
    try {
      const [found] = await reader.detect(video);
      const code = cleaned(found?.rawValue ?? "");
      if (code !== "" && (code !== before.code || Date.now() - before.at > 3000)) onCode(code);
      if (code !== "") before = { code, at: Date.now() };
    } catch (error) {
      console.info("camera:", error.message);
    }
    setTimeout(look, 120);
  };
  look();
  return stop;
}
