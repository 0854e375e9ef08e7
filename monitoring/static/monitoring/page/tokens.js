// Makes a token and shows its secret, once: it is nowhere but on this page, and gone when the page is left.
import { post, say } from "./actions.js";

export function tokens() {
  const form = document.querySelector("form.new-token");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button[type=submit]");
    button.disabled = true;
    const { ok, body } = await post(form.dataset.url, asked(form));
    button.disabled = false;
    if (ok) show(form, body.secret);
  });
  const told = document.getElementById("new-secret");
  told.querySelector("[data-copy]").addEventListener("click", ({ target }) => copy(target));
  told.querySelector("[data-kept]").addEventListener("click", () => location.reload());
}

function asked(form) {
  const chosen = (name) => [...form.querySelectorAll(`[name=${name}]:checked`)].map((input) => input.value);
  const body = { name: form.elements.name.value, scopes: chosen("scopes"), groups: chosen("groups") };
  const expires = form.elements.expiresAt.value;
  return expires ? { ...body, expiresAt: new Date(expires).toISOString() } : body;
}

function show(form, secret) {
  form.hidden = true;
  say("");
  document.getElementById("secret").textContent = secret;
  document.getElementById("new-secret").hidden = false;
  document.querySelector("[data-copy]").focus();
  addEventListener("beforeunload", remind);
  document.querySelector("[data-kept]").addEventListener("click", () => removeEventListener("beforeunload", remind), { capture: true });
}

function remind(event) {
  event.preventDefault(); // the browser asks whether to leave
}

async function copy(button) {
  const code = document.getElementById("secret");
  getSelection().selectAllChildren(code);
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    if (!document.execCommand("copy")) return; // it is selected, to be copied by hand
  }
  say(button.dataset.copied);
}
