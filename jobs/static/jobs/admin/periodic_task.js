// Shows the fields of the chosen kind of schedule, and the next ticks of what is typed, as the server tells them.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const ticks = document.getElementById("ticks");
  if (!ticks || !ticks.dataset.preview) return;
  const form = ticks.closest("form");
  const rows = {
    crontab: ["minute", "timezone"],
    interval: ["every"],
    clocked: ["clocked_time"],
  };
  let asked = 0;
  let timer;

  function showKind() {
    const chosen = form.querySelector("input[name=kind]:checked");
    for (const [kind, fields] of Object.entries(rows)) {
      for (const field of fields) {
        const row = form.querySelector(`.form-row.field-${field}`);
        if (row) row.hidden = !chosen || chosen.value !== kind;
      }
    }
    const once = form.querySelector(".form-row.field-one_off");
    if (once) once.hidden = Boolean(chosen) && chosen.value === "clocked";
  }

  async function preview() {
    const mine = ++asked;
    try {
      const answer = await fetch(ticks.dataset.preview, { method: "POST", body: new FormData(form) });
      if (mine !== asked) return;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      ticks.innerHTML = await answer.text();
    } catch (error) {
      ticks.textContent = `The next ticks cannot be shown at the moment (${error.message}).`;
    }
  }

  function changed() {
    showKind();
    clearTimeout(timer);
    timer = setTimeout(preview, 300);
  }

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  showKind();
});
