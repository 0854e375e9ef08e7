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
    const given = button.dataset.body && JSON.parse(button.dataset.body);
    const { ok, body } = await ask(button.dataset.post, request(button.dataset.method ?? "POST", given));
    button.disabled = false;
    if (ok && button.dataset.follow) location.assign(button.dataset.follow.replace(ANY, body.runId));
    if (ok && "reload" in button.dataset) location.reload();
    if (ok) say(words.done);
    renew();
  });
}

// Answers what asked() does; when it was refused, the reader has been told why.
export function post(url, body, headers) {
  return ask(url, request("POST", body, headers));
}

export async function ask(url, options = {}) {
  const answer = await asked(url, options);
  if (!answer.ok) say(reason(answer), "refused", answer.body.runId);
  return answer;
}

// Answers {ok, status, body, etag}, and tells nobody; status is 0 when nothing came.
export async function asked(url, options = {}) {
  try {
    const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(20_000) });
    return { ok: answer.ok, status: answer.status, body: await answer.json(), etag: answer.headers.get("ETag") };
  } catch {
    return { ok: false, status: 0, body: {}, etag: null };
  }
}

export function reason({ body }) {
  return body.detail ?? body.title ?? words.unreachable;
}

export function request(method, body, more = {}) {
  const headers = { "X-CSRFToken": cookie("csrftoken"), Accept: "application/json", ...more };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  return { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
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
