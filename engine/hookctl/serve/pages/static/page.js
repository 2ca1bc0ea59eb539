// Pages are complete without this script. It shows times in the reader's time zone, keeps ages and live parts up to
// date, copies text, and says that a form is at work.
"use strict";

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

function age(seconds) {
  const past = Math.max(Math.abs(seconds), 0);
  const [size, unit] = UNITS.find(([size]) => past >= size) || UNITS[UNITS.length - 1];
  const text = `${Math.floor(past / size)} ${unit}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

function showTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) continue;
    if ("age" in time.dataset) time.textContent = age((Date.now() - at) / 1000);
    else time.textContent = moment.format(at);
  }
}

function showZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const place of document.querySelectorAll("[data-zone]")) {
    place.textContent = `Times are in your time zone, ${zone}; hover over one to see UTC.`;
  }
}

function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.firstChild;
  try {
    await navigator.clipboard.writeText(source.textContent);
    label.textContent = "Copied";
  } catch {
    label.textContent = "Not copied";
  }
  setTimeout(() => { label.textContent = "Copy"; }, 2000);
}

// <section id="rows" data-live="5"> is replaced by what the same URL answers, every five seconds. A button with
// data-pause="rows" pauses and continues.
function keepLive(part) {
  const button = document.querySelector(`button[data-pause="${part.id}"]`);
  const isPaused = () => button !== null && button.getAttribute("aria-pressed") === "true";
  if (button !== null) {
    button.hidden = false;
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", isPaused() ? "false" : "true");
    });
  }
  const refresh = async () => {
    const isInUse = part.contains(document.activeElement) || part.querySelector(":checked") !== null;
    if (document.hidden || isPaused() || isInUse) return;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(part.id);
      if (fresh === null || isPaused()) return;
      part.replaceChildren(...fresh.childNodes);
      part.classList.remove("stale");
      showTimes(part);
      offerCopies(part);
    } catch {
      part.classList.add("stale");
    }
  };
  setInterval(refresh, Number(part.dataset.live) * 1000);
}

// <form data-busy="wait"> shows the element with the id "wait" while its answer is on the way.
function showBusy(form) {
  const note = document.getElementById(form.dataset.busy);
  if (note !== null) note.hidden = false;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
}

showTimes(document);
showZone();
offerCopies(document);
setInterval(() => showTimes(document), 10000);
for (const part of document.querySelectorAll("[data-live][id]")) keepLive(part);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button !== null) copy(button);
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("busy" in form.dataset)) return;
  if (form.querySelector("button[aria-disabled]") !== null) event.preventDefault();
  else showBusy(form);
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
