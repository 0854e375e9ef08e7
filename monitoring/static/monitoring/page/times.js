// Moments come on the service's clock and stay so in their title; here they are put on the reader's own.

const language = { en: "en-GB" }[document.documentElement.lang] ?? document.documentElement.lang;
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
const UNITS = [["day", 86400, 48 * 3600], ["hour", 3600, 2 * 3600], ["minute", 60, 90], ["second", 1, 0]];

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
  const seconds = Math.round((moment - Date.now()) / 1000);
  if (form === "until") return formats[Math.abs(seconds) < 20 * 3600 ? "clock" : "full"].format(moment);
  if (form !== "ago") return (formats[form] ?? formats.full).format(moment);
  const [unit, size] = UNITS.find(([, size, from]) => Math.abs(seconds) >= from) ?? UNITS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}
