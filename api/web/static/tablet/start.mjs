// First steps: the language, the look and the worker, before anything is drawn.

const own = (name) => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};

const root = document.documentElement;
root.lang = own("tablet-lang") ?? root.lang;
root.dataset.look = own("tablet-look") ?? "auto";

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/tablet/worker.js", { scope: "/tablet" }).catch((error) => {
    // Over plain http there is no worker; the page says so.
    console.info("worker:", error.message);
  });
}

const { begin } = await import("./app.mjs");
await begin(document.getElementById("tablet"));
