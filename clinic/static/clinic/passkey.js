// Asks the browser for a passkey and sends what it answers.
document.querySelectorAll("form[data-passkey]").forEach((form) => {
  const options = JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
  const status = form.querySelector("[role=status]");

  const ask = () =>
    form.dataset.passkey === "create"
      ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "";
    document.querySelector("main [role=alert]")?.replaceChildren(); // of an earlier try
    try {
      form.elements.passkey.value = JSON.stringify(await ask());
      form.submit();
    } catch {
      status.textContent = "No passkey was used. Try again, or choose another way.";
    }
  });
});
