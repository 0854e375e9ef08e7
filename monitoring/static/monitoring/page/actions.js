// Buttons that ask the REST interface for something; what it refuses is told in its own words.
import { renew } from "./live.js";

const ANY = "00000000-0000-0000-0000-000000000000"; // stands for an id in an address
const words = document.getElementById("words").dataset;

export { ANY };

export function actions() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button[data-post]");
    if (!button || (button.dataset.confirm && !confirm(button.dataset.confirm))) return;
    button.disabled = true;
    const { ok, body } = await post(button.dataset.post, button.dataset.body && JSON.parse(button.dataset.body));
    button.disabled = false;
    if (ok && button.dataset.follow) location.assign(button.dataset.follow.replace(ANY, body.runId));
    if (ok) say(words.done);
    renew();
  });
}

// Answers {ok, body}; when it was refused, the reader has been told why.
export async function post(url, body) {
  const headers = { "X-CSRFToken": cookie("csrftoken"), Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return ask(url, { method: "POST", headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

export async function ask(url, options = {}) {
  try {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(20_000) });
    const body = await answer.json();
    if (!answer.ok) say(body.detail ?? body.title ?? words.unreachable, "refused", body.runId);
    return { ok: answer.ok, body };
  } catch {
    say(words.unreachable, "refused");
    return { ok: false, body: {} };
  }
}

let clearing;
export function say(text, kind = "", run = "") {
  const said = document.getElementById("said");
  said.className = `said ${kind}`;
  said.textContent = text;
  if (run) said.append(" ", Object.assign(document.createElement("a"), { href: words.page.replace(ANY, run), textContent: words.run }));
  clearTimeout(clearing);
  clearing = setTimeout(() => (said.textContent = ""), kind === "refused" ? 12_000 : 5000);
}

function cookie(name) {
  return document.cookie.split("; ").find((each) => each.startsWith(`${name}=`))?.split("=")[1] ?? "";
}
