// The QR code brings the code behind the #: it goes into the form and out of the address. Nothing
// is sent by itself: a link must not turn somebody's browser into a device.

const form = document.getElementById("pair");

function take() {
  const code = location.hash.slice(1).replace(/\D/g, "");
  if (!form || !code) return;
  history.replaceState(null, "", location.pathname);
  form.elements.code.value = code;
  form.querySelector("button").focus();
}

addEventListener("hashchange", take);
take();
