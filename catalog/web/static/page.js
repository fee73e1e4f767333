// A form that is changed shows what it now asks for: the part of the page that depends on it is
// fetched and put in place, and the address says the same, so that it can be kept and sent.
"use strict";

const WAIT = 30; // ms without a key, before what is written is asked for
const LONG = 1000; // ms, after which it is said that something takes long
let pending = null; // what was asked for last and is not there yet: its part, and how to call it off

function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value !== "") asked.append(name, value);
  }
  const query = asked.toString();
  return form.getAttribute("action") + (query ? "?" + query : "");
}

// The server fills in the block of a part's id, and that goes into the element of this id.
async function show(address, part, { written = null } = {}) {
  if (pending) {
    // What was asked for before holds this part: it is asked for once more.
    const before = document.getElementById(pending.part);
    if (before && before.contains(document.getElementById(part))) part = pending.part;
    pending.controller.abort();
  }
  const turn = { part, controller: new AbortController() };
  pending = turn;
  const element = document.getElementById(part);
  element.setAttribute("aria-busy", "true");
  const waiting = setTimeout(() => tell("Working …", { isSeen: true }), LONG);
  let text;
  try {
    const answer = await fetch(address, { headers: { "X-Part": part }, signal: turn.controller.signal });
    text = await answer.text();
    if (!answer.headers.get("content-type").startsWith("text/html")) {
      tell(text, { isWrong: true });
      return;
    }
  } catch (error) {
    if (error.name === "AbortError") return; // Something else was asked for meanwhile.
    tell("The server does not answer: is catalog ui still running?", { isWrong: true });
    return;
  } finally {
    clearTimeout(waiting);
    if (pending === turn) pending = null;
    if (!pending || pending.part !== part) element.removeAttribute("aria-busy");
  }
  const fetched = new DOMParser().parseFromString(text, "text/html");
  // A whole page is an error, of which its middle is shown; else it is what the element holds.
  replace(element, fetched.getElementById("main") || fetched.body);
  const said = element.querySelector("[data-said]");
  tell(said ? said.dataset.said : "");
  // What is written letter by letter is one step back.
  const isSame = written !== null && history.state?.written === written;
  history[isSame ? "replaceState" : "pushState"]({ written }, "", address);
  document.dispatchEvent(new CustomEvent("shown", { detail: element }));
}

// Who uses the keyboard stays at the same box or link, and what was opened stays open.
function replace(element, fresh) {
  const focused = element.contains(document.activeElement) ? document.activeElement : {};
  const { id, name, value, selectionStart, selectionEnd } = focused;
  const opened = [...element.querySelectorAll("details[open][id]")].map((one) => one.id);
  document.dispatchEvent(new CustomEvent("leaving", { detail: element }));
  element.replaceChildren(...fresh.childNodes);
  for (const one of opened) {
    const details = document.getElementById(one);
    if (details) details.open = true;
  }
  const same = (id && document.getElementById(id)) || (name && element.querySelector(`[name="${CSS.escape(name)}"]`));
  if (!same) return;
  same.focus({ preventScroll: true });
  if (typeof selectionStart !== "number" || !same.matches("input")) return;
  same.value = value; // More may have been written meanwhile.
  same.setSelectionRange(selectionStart, selectionEnd);
}

function tell(text, { isWrong = false, isSeen = isWrong } = {}) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.classList.toggle("wrong", isWrong);
  said.classList.toggle("seen", isSeen);
}

let timer;
function asked(event) {
  const form = event.target.closest("form[data-part]");
  if (!form) return;
  // A condition means nothing before it is whole: such a form is asked once a field is left.
  if (event.type !== "submit" && event.type !== (form.dataset.on || "input")) return;
  clearTimeout(timer);
  const isTyped = event.type === "input" && event.target.matches("input:not([type=checkbox])");
  // A box that others depend on names the part which holds them.
  const part = event.target.dataset.part || form.dataset.part;
  const written = isTyped ? event.target.name : null;
  timer = setTimeout(() => show(addressOf(form), part, { written }), isTyped ? WAIT : 0);
}
document.addEventListener("input", asked);
document.addEventListener("change", asked);
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-part]")) return;
  event.preventDefault();
  asked(event);
});

// Links within a part, such as those that sort and turn pages, fetch it likewise.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-part]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  show(link.getAttribute("href"), link.dataset.part);
});

window.addEventListener("popstate", () => location.reload());
