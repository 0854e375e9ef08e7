// The log of a run: only the lines with the words that are searched for; new lines are scrolled to while one reads the end.

const NEAR_THE_END = 40; // pixels

export function log() {
  if (!document.getElementById("run-log")) return;
  document.addEventListener("input", ({ target }) => target.id === "log-search" && filter());
  const lines = () => document.querySelector("#run-log .log");
  let atEnd = true;
  document.addEventListener("scroll", ({ target }) => {
    if (target === lines()) atEnd = target.scrollHeight - target.scrollTop - target.clientHeight < NEAR_THE_END;
  }, true);
  const follow = () => {
    filter();
    const shown = lines();
    if (atEnd && shown?.hasAttribute("data-follow-end")) shown.scrollTop = shown.scrollHeight;
  };
  follow();
  new MutationObserver(follow).observe(document.getElementById("live"), { childList: true });
}

function filter() {
  const typed = document.getElementById("log-search")?.value ?? "";
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  for (const line of document.querySelectorAll("#run-log .log p")) {
    const text = line.textContent.toLowerCase();
    line.hidden = !wanted.every((word) => text.includes(word));
  }
}
