// The strategies that are chosen for comparison: they stay chosen while the list is filtered,
// sorted, paged and left, as long as the tab is open.
"use strict";

const FEWEST = 2, MOST = 10;
const KEPT = `compare in ${document.querySelector(".where").title}`;
const chosen = new Map(JSON.parse(sessionStorage.getItem(KEPT) || "[]")); // what a box stands for: what it is called

function boxes() {
  return document.querySelectorAll(".compare input[name=s][type=checkbox]");
}

function say() {
  const button = document.getElementById("compare");
  if (!button) return;
  const count = chosen.size;
  button.disabled = count < FEWEST || count > MOST;
  button.textContent =
    count > MOST ? `${count} are chosen: compare ${MOST} at most`
    : count >= FEWEST ? `Compare ${count}`
    : count === 1 ? "Compare it with …" : `Choose ${FEWEST} to ${MOST} to compare`;
  button.title = [...chosen.values()].join(", ");
  document.getElementById("forget").hidden = count === 0;
}

function restore() {
  for (const box of boxes()) box.checked = chosen.has(box.value);
  say();
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches(".compare input[name=s]")) return;
  if (box.checked) chosen.set(box.value, box.closest("tr").querySelector("a").textContent);
  else chosen.delete(box.value);
  sessionStorage.setItem(KEPT, JSON.stringify([...chosen]));
  say();
});

document.addEventListener("click", (event) => {
  if (event.target.id !== "forget") return;
  chosen.clear();
  sessionStorage.removeItem(KEPT);
  restore();
});

// Those of other pages and filters have no box here.
document.addEventListener("submit", (event) => {
  if (!event.target.matches(".compare")) return;
  const here = new Set([...boxes()].filter((box) => box.checked).map((box) => box.value));
  for (const value of chosen.keys()) {
    if (here.has(value)) continue;
    const hidden = document.createElement("input");
    Object.assign(hidden, { type: "hidden", name: "s", value });
    event.target.append(hidden);
  }
});

document.addEventListener("shown", restore);
window.addEventListener("pageshow", restore); // A browser that goes back ticks boxes by itself.
restore();

// What draws charts takes a second or two to make: until somebody opens a strategy it is there.
window.addEventListener("load", () => setTimeout(() => fetch("/static/vega.js").catch(() => {}), 1000));
