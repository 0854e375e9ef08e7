// The forms of a job's page: run it now, pause it, ask why it did not run.
import { ANY, ask, post, say } from "./actions.js";
import { renew } from "./live.js";
import { render } from "./times.js";

const words = document.getElementById("words").dataset;
const ACTIVE = ["queued", "running", "retrying"];

export function job() {
  each("form.run-now", runNow);
  each("form.pause", pause);
  each("form.why", why);
}

function each(which, wire) {
  for (const form of document.querySelectorAll(which)) wire(form);
}

function submitted(form, answer) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("button");
    button.disabled = true;
    try {
      await answer(button);
    } finally {
      button.disabled = false;
    }
  });
}

function runNow(form) {
  const real = form.querySelector("button[value=real]");
  const outcome = form.querySelector(".outcome");
  for (const input of form.querySelectorAll("[data-moment]")) input.value = onThisClock(input.dataset.moment);
  let looked = null; // the arguments whose dry run has been shown: only with these may data be deleted
  const bar = () => {
    if (real) real.disabled = looked !== JSON.stringify(given(form));
  };
  form.addEventListener("input", bar);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const isReal = event.submitter === real;
    const dryRun = form.hasAttribute("data-destructive") ? !isReal : form.querySelector("[data-dry-run]").checked;
    if (isReal && (looked === null || !confirm(form.dataset.confirm))) return;
    const values = given(form);
    for (const button of form.querySelectorAll("button")) button.disabled = true;
    const { ok, body } = await post(form.dataset.url, { dryRun, arguments: values });
    if (ok) {
      looked = null;
      renew();
      const state = await follow(form, outcome, body.runId);
      if (dryRun && state === "succeeded") looked = JSON.stringify(values);
    }
    for (const button of form.querySelectorAll("button")) button.disabled = false;
    bar();
  });
}

async function follow(form, outcome, id) {
  const link = Object.assign(document.createElement("a"), { href: form.dataset.page.replace(ANY, id) });
  const badge = document.createElement("span");
  link.textContent = `${words.run} ${id}`;
  outcome.replaceChildren(badge, " ", link);
  for (;;) {
    const { ok, body } = await ask(`${form.dataset.runs}/${id}`);
    if (!ok) return "";
    badge.className = `badge ${body.state}`;
    badge.textContent = words[body.state] ?? body.state;
    if (!ACTIVE.includes(body.state)) {
      const result = await fetch(form.dataset.result.replace(ANY, id));
      if (!result.ok) return "";
      outcome.append(...new DOMParser().parseFromString(await result.text(), "text/html").body.childNodes);
      if (body.error) outcome.append(Object.assign(document.createElement("p"), { className: "bad", textContent: body.error }));
      render(outcome);
      return body.state;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function given(form) {
  const values = {};
  for (const input of form.querySelectorAll("[data-kind]")) {
    const value = input.type === "checkbox" ? input.checked : input.value;
    if (value === "" || (value === false && !input.defaultChecked)) continue; // its default
    values[input.name] = typed(input.dataset.kind, value);
  }
  return values;
}

// A moment as an input of the browser wants it: local, and without a zone.
function onThisClock(moment) {
  const at = new Date(moment);
  return Number.isNaN(at.valueOf()) ? "" : new Date(at - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

function typed(kind, value) {
  if (kind === "integer" || kind === "number") return Number(value);
  if (kind === "date-time") return new Date(value).toISOString();
  if (kind !== "json") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // what it lacks is told by the interface
  }
}

function pause(form) {
  submitted(form, async () => {
    const body = { reason: form.elements.reason.value };
    if (form.elements.until.value) body.until = new Date(form.elements.until.value).toISOString();
    const { ok } = await post(form.dataset.url, body);
    if (!ok) return;
    form.reset();
    say(words.done);
    renew();
  });
}

function why(form) {
  submitted(form, async () => {
    const at = encodeURIComponent(new Date(form.elements.at.value).toISOString());
    const { ok, body } = await ask(`${form.dataset.url}?at=${at}`);
    if (ok) form.querySelector(".outcome").replaceChildren(...(body.found ?? []).map((found) => explained(form, found)));
  });
}

function explained(form, found) {
  const item = document.createElement("li");
  item.append(`${found.schedule}: ${found.words} `);
  if (found.runId) {
    item.append(Object.assign(document.createElement("a"), { href: form.dataset.page.replace(ANY, found.runId), textContent: words.run }));
  }
  return item;
}
