// The link's token stands behind the #, which no server sees, and with it for whom it is; into the form with
// them, and out of the address.
const field = document.querySelector("[data-from-hash]");
if (location.hash) {
  const [secret, ...told] = location.hash.slice(1).split("&");
  const known = new URLSearchParams(told.join("&"));
  field.value = secret;
  if (known.get("for")) {
    document.querySelector("[data-welcome]").textContent = `Welcome to ${known.get("at")}.`;
    document.querySelector("[data-for]").textContent = known.get("for");
    document.querySelector("[data-known]").hidden = false;
  }
  history.replaceState(null, "", location.pathname);
}

const shown = document.querySelector("[data-show]");
shown.addEventListener("change", () => {
  document.querySelector("[name=password]").type = shown.checked ? "text" : "password";
});
