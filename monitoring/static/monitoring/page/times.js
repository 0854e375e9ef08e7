// Moments come on the service's clock and stay so in their title; here they are put on the reader's own.

const language = document.documentElement.lang;
const FORMS = {
  clock: { hour: "2-digit", minute: "2-digit" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  full: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  exact: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};
const formats = Object.fromEntries(
  Object.entries(FORMS).map(([name, form]) => [name, new Intl.DateTimeFormat(language, { ...form, hourCycle: "h23" })]),
);
const relative = new Intl.RelativeTimeFormat(language, { numeric: "always", style: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

export function times() {
  render(document);
  setInterval(() => render(document, "time[data-form=ago], time[data-form=until]"), 1000);
}

export function render(root, which = "time[datetime]") {
  for (const element of root.querySelectorAll(which)) {
    const text = words(new Date(element.dateTime), element.dataset.form);
    if (element.textContent !== text) element.textContent = text;
  }
}

function words(moment, form) {
  if (form !== "ago" && form !== "until") return (formats[form] ?? formats.full).format(moment);
  const seconds = Math.round((moment - Date.now()) / 1000);
  if (Math.abs(seconds) > 6 * 86400) return formats.full.format(moment);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? UNITS.at(-1);
  const far = relative.format(Math.trunc(seconds / size), unit);
  if (form === "ago" || unit === "second") return far;
  return `${formats[unit === "day" ? "full" : "clock"].format(moment)} · ${far}`;
}
