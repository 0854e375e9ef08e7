// The editor of a job's schedule: what an edit would mean is shown while one types, and nobody's edit is overwritten.
import { ask, asked, post, reason, request, say } from "./actions.js";
import { renew } from "./live.js";
import { inWords, tickIn } from "./phrases.js";

const TYPED_MS = 300; // without a further key
const TAKEN_UP_MS = 2500; // by the scheduler, which reads edits anew
const words = document.getElementById("words").dataset;
const CRONTAB = ["cron", "timezone"];
const INTERVAL = ["every", "period"];

export function schedule() {
  const form = document.querySelector("form.schedule");
  if (form) begin(form);
}

function begin(form) {
  const seen = { details: {}, etag: "" }; // the version that is edited
  const part = (name) => form.querySelector(`[data-part=${name}]`);
  form.querySelector("#zones").append(...zones());
  let typing;
  form.addEventListener("input", () => {
    arrange(form, seen);
    clearTimeout(typing);
    typing = setTimeout(() => foresee(form, seen, part), TYPED_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(form, seen, part, form.dataset.url, request("PATCH", edit(form, seen.details), { "If-Match": seen.etag }));
  });
  form.addEventListener("click", ({ target }) => {
    if (target.matches("[data-load]")) load(form, seen, part);
    if (target.matches("[data-reset]")) {
      change(form, seen, part, form.dataset.reset, request("POST", undefined, { "If-Match": seen.etag }));
    }
  });
  load(form, seen, part);
}

async function load(form, seen, part) {
  const answer = await asked(form.dataset.url);
  part("problem").hidden = answer.ok;
  part("problem").textContent = answer.ok ? "" : reason(answer);
  part("fields").disabled = !answer.ok;
  if (answer.ok) show(form, seen, part, answer);
}

function show(form, seen, part, { body, etag }) {
  Object.assign(seen, { details: body, etag });
  const { kind, cron, timezone, every, period, enabled } = form.elements;
  kind.value = body.kind === "interval" ? "interval" : "crontab";
  cron.value = body.cron ?? body.declaredCron;
  timezone.value = body.timezone ?? body.declaredTimezone;
  every.value = body.every ?? "";
  period.value = body.period ?? "minutes";
  enabled.checked = body.enabled;
  part("conflict").hidden = true;
  part("drift").hidden = !body.drift;
  part("declared").textContent = `${body.declaredCron} (${body.declaredTimezone})`;
  arrange(form, seen);
  foresee(form, seen, part);
}

// Only the fields of the chosen kind are shown, and only what differs can be saved.
function arrange(form, { details }) {
  for (const group of form.querySelectorAll("[data-kind-of]")) {
    group.hidden = group.dataset.kindOf !== form.elements.kind.value;
    for (const input of group.querySelectorAll("input, select")) input.disabled = group.hidden;
  }
  form.querySelector("[data-save]").disabled = !Object.keys(edit(form, details)).length;
}

function edit({ elements }, details) {
  const names = elements.kind.value === "crontab" ? CRONTAB : INTERVAL;
  const given = { cron: elements.cron.value.trim(), timezone: elements.timezone.value.trim() };
  Object.assign(given, { every: Number(elements.every.value) || null, period: elements.period.value });
  const changed = names.some((name) => given[name] !== details[name]) ? Object.fromEntries(names.map((name) => [name, given[name]])) : {};
  return elements.enabled.checked === details.enabled ? changed : { ...changed, enabled: elements.enabled.checked };
}

let latest = 0; // answers may come in another order than they were asked for
async function foresee(form, { details }, part) {
  const mine = ++latest;
  const answer = await asked(form.dataset.preview, request("POST", edit(form, details)));
  const found = answer.ok ? await inWords(form.dataset.phrases, [answer.body.words, ...answer.body.warnings]) : [];
  if (mine !== latest) return;
  part("problem").hidden = answer.ok;
  part("problem").textContent = answer.ok ? "" : reason(answer);
  part("foreseen").hidden = !answer.ok;
  if (!answer.ok) return;
  const [phrase, ...warnings] = found;
  part("words").textContent = phrase;
  part("zone").textContent = answer.body.timezone;
  part("ticks").replaceChildren(...answer.body.ticks.map((tick) => line(tick, answer.body.timezone)));
  part("warnings").replaceChildren(...warnings.map((text) => element("li", text)));
}

function line({ at, local, clockChange }, zone) {
  const item = element("li", tickIn(local, at, zone));
  if (clockChange) item.className = "switched";
  return item;
}

async function change(form, seen, part, url, options) {
  part("fields").disabled = true;
  const answer = await asked(url, options);
  part("fields").disabled = false;
  if (answer.ok) {
    show(form, seen, part, answer);
    say(words.done);
    renew();
    setTimeout(renew, TAKEN_UP_MS);
  } else if (answer.status === 412) {
    await tellConflict(form, seen, part);
  } else {
    say(reason(answer), "refused");
  }
}

async function tellConflict(form, { details }, part) {
  const now = await ask(form.dataset.url);
  if (!now.ok) return;
  const names = [...CRONTAB, ...INTERVAL, "enabled"].filter((name) => now.body[name] !== details[name]);
  part("changes").replaceChildren(...names.flatMap((name) => difference(form, name, details[name], now.body[name])));
  part("conflict").hidden = false;
  part("conflict").querySelector("button").focus();
}

function difference(form, name, before, now) {
  const spelled = (value) => (value === true ? form.dataset.yes : value === false ? form.dataset.no : value ?? "—");
  const value = element("dd", "");
  value.append(element("del", spelled(before)), " → ", element("ins", spelled(now)));
  return [element("dt", form.querySelector(`label[for=schedule-${name}]`).textContent), value];
}

function element(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

function zones() {
  const known = Intl.supportedValuesOf?.("timeZone") ?? [];
  return ["UTC", ...known].map((zone) => Object.assign(document.createElement("option"), { value: zone }));
}
