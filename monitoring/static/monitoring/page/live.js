// Renews the page's live part when something happens, and says so when it no longer can: never a stale green.
import { render } from "./times.js";

const AT_MOST_EVERY = 1000; // renewals; fewer when they take long, so that nobody who looks makes a busy service busier
const REST = 5; // times as long as the last one took
const LONGEST_REST = 5000;
const QUIET_AFTER = 6000; // then look anyway: not everything that changes is an event
const OLD_AFTER = 9000; // so that with the half second between two looks it is told within ten
const COME_BACK_AFTER = 1500;
const DEAD_AFTER = 35_000; // two heartbeats are missing

const part = document.getElementById("live");
const shown = new Map(); // what the server sent for each section, before times were put on another clock
let renewedAt = Date.now();
let askedAt = Date.now();
let rest = AT_MOST_EVERY;
let closedSince = Date.now(); // null while the connection stands
let heardAt = Date.now(); // over the connection
let socket = null;
let asking = false;
let again = false;
let wanted = null;
let cursor = 0; // of the newest event that was heard: what is shown must not be from before it

export function live() {
  if (!part) return;
  for (const section of document.querySelectorAll("section[id]")) shown.set(section.id, section.outerHTML);
  for (const day of part.querySelectorAll(".wide")) showNow(day);
  connect();
  setInterval(look, 500);
  document.addEventListener("visibilitychange", look);
}

export function renew() {
  if (!part || wanted !== null) return;
  wanted = setTimeout(fetchPart, Math.max(0, askedAt + rest - Date.now()));
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(`${scheme}//${location.host}/ws/cron/`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    heardAt = Date.now();
    cursor = Math.max(cursor, message.cursor ?? 0);
    if (message.type === "welcome") {
      closedSince = null;
      socket.send(JSON.stringify({ type: "subscribe", topics: part.dataset.topics.split(" ") }));
      renew(); // what happened while nobody listened
    }
    if (message.type === "gap" || (message.type === "event" && concerns(message))) renew();
  };
  socket.onclose = lost;
}

function lost() {
  closedSince ??= Date.now();
  heardAt = Date.now();
  setTimeout(connect, COME_BACK_AFTER);
}

// A connection may die without a word: then it is given up, and made anew.
function giveUp() {
  socket.onclose = null;
  socket.close();
  lost();
}

function concerns({ topic, data }) {
  const { run, job } = part.dataset;
  if (topic !== "runs") return true;
  return (!run || data.id === run) && (!job || data.job === job);
}

async function fetchPart() {
  wanted = null;
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  askedAt = Date.now();
  try {
    const answer = await fetch(`${part.dataset.part}${part.dataset.part.includes("?") ? "&" : "?"}after=${cursor}`, { signal: AbortSignal.timeout(8000) });
    if (answer.redirected || answer.status === 403) location.reload(); // signed out, or no longer allowed
    else if (answer.ok) {
      replace(await answer.text());
      renewedAt = Date.now();
    }
  } catch {
    // look() says so when it lasts
  } finally {
    asking = false;
    rest = Math.max(AT_MOST_EVERY, Math.min(LONGEST_REST, REST * (Date.now() - askedAt)));
    if (again) renew();
    again = false;
    look();
  }
}

// Only sections that changed are replaced, so that focus, open details and what is typed stay where they are.
function replace(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const sections = [...fresh.querySelectorAll("section[id]")];
  if (sections.some((each) => !document.getElementById(each.id))) {
    part.replaceChildren(...fresh.body.childNodes);
    shown.clear();
  }
  for (const section of sections) {
    const html = section.outerHTML;
    const old = document.getElementById(section.id);
    if (shown.get(section.id) === html) continue;
    shown.set(section.id, html);
    if (old !== section) swap(old, section);
  }
  const title = fresh.querySelector("[data-title]") ?? document.querySelector("[data-title]");
  if (title) document.title = `${title.dataset.title} · ${document.title.split(" · ").at(-1)}`;
  render(document);
}

function swap(old, section) {
  const focus = old.contains(document.activeElement) ? place(old) : null;
  const open = [...old.querySelectorAll("details[open][id]")].map((each) => each.id);
  const scrolled = [...old.querySelectorAll(".wide")].map((each) => each.scrollLeft);
  const typed = [...old.querySelectorAll("input[id]")].map(({ id, value, selectionStart }) => [id, value, selectionStart]);
  old.replaceWith(section);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  section.querySelectorAll(".wide").forEach((each, n) => (each.scrollLeft = scrolled[n] ?? 0));
  for (const [id, value, at] of typed) {
    const input = document.getElementById(id);
    if (input) input.value = value;
    if (input && at !== null) input.setSelectionRange(at, at);
  }
  if (focus) section.querySelectorAll(focus.what)[focus.nth]?.focus({ preventScroll: true });
}

function place(section) {
  const what = "a, button, summary, input, select, textarea, [tabindex]";
  return { what, nth: [...section.querySelectorAll(what)].indexOf(document.activeElement) };
}

function showNow(day) {
  const now = day.querySelector(".now");
  if (now && day.scrollWidth > day.clientWidth) {
    day.scrollLeft += now.getBoundingClientRect().left - day.getBoundingClientRect().left - day.clientWidth * 0.7;
  }
}

function look() {
  const now = Date.now();
  const old = now - renewedAt >= OLD_AFTER || (closedSince !== null && now - closedSince >= OLD_AFTER);
  document.documentElement.classList.toggle("stale", old);
  document.documentElement.classList.toggle("renewed", !old);
  const banner = document.getElementById("old");
  if (banner.hidden === old) {
    const time = banner.querySelector("time");
    time.dateTime = new Date(Math.min(renewedAt, closedSince ?? now)).toISOString();
    render(banner);
    banner.hidden = !old;
    document.title = old ? `? ${document.title}` : document.title.replace(/^\? /, "");
  }
  if (now - heardAt >= DEAD_AFTER) giveUp();
  if (now - renewedAt >= QUIET_AFTER && !asking && document.visibilityState === "visible") renew();
}
