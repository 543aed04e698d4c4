// "Stops near me": asks the device where it is, only when asked to, and looks there.

const button = document.querySelector("[data-near]");
const status = document.querySelector("[data-near-status]");

function look({ coords }) {
  // A hundred metres is near enough, and says less about whoever asks.
  const address = new URL(location.href);
  address.search = new URLSearchParams({
    lon: coords.longitude.toFixed(3),
    lat: coords.latitude.toFixed(3),
  }).toString();
  location.assign(address);
}

if (button && navigator.geolocation && window.isSecureContext) {
  button.hidden = false;
  button.addEventListener("click", () => {
    status.textContent = status.dataset.locating;
    navigator.geolocation.getCurrentPosition(
      look,
      () => { status.textContent = status.dataset.failed; },
      { maximumAge: 300_000, timeout: 15_000 },
    );
  });
}
