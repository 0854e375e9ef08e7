// What the REST interface says in English about schedules, in the reader's language.

const language = document.documentElement.lang;

export async function inWords(url, phrases) {
  if (language === "en") return phrases;
  const query = new URLSearchParams(phrases.map((phrase) => ["phrase", phrase]));
  try {
    const answer = await fetch(`${url}?${query}`, { signal: AbortSignal.timeout(8000) });
    return answer.ok ? (await answer.json()).phrases : phrases;
  } catch {
    return phrases;
  }
}

// A tick as the service spells it, with the reader's day of the week.
export function tickIn(local, at, zone) {
  if (language === "en") return local;
  const day = new Intl.DateTimeFormat(language, { weekday: "short", timeZone: zone }).format(new Date(at)).replace(".", "");
  return `${day[0].toUpperCase()}${day.slice(1)} ${local.split(" ").slice(1).join(" ")}`;
}
