// The link's token stands behind the #, which no server sees; into the form with it, and out of the address.
const field = document.querySelector("[data-from-hash]");
if (location.hash) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
