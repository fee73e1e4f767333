// A form that is changed shows what it now asks for: the part of the page that depends on it is
// fetched and put in place, and the address says the same, so that it can be kept and sent.
"use strict";

const WAIT = 30; // ms without a key, before what is written is asked for
let latest = 0;
let pending = null;

function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value !== "") asked.append(name, value);
  }
  const query = asked.toString();
  return form.getAttribute("action") + (query ? "?" + query : "");
}

// The server fills in the block of a part's id, and that goes into the element of this id.
async function show(address, part, { push }) {
  const turn = ++latest;
  const before = pending && document.getElementById(pending);
  // What was asked for before and is not there yet holds this part: it is asked for once more.
  if (before && before.contains(document.getElementById(part))) part = pending;
  pending = part;
  const element = document.getElementById(part);
  element.setAttribute("aria-busy", "true");
  let text;
  try {
    const answer = await fetch(address, { headers: { "X-Part": part } });
    text = await answer.text();
    if (turn !== latest) return; // Something else was asked for meanwhile.
    if (!answer.headers.get("content-type").startsWith("text/html")) {
      tell(text, { isWrong: true });
      return;
    }
  } catch {
    if (turn === latest) tell("The server does not answer: is catalog ui still running?", { isWrong: true });
    return;
  } finally {
    if (turn === latest) pending = null;
    element.removeAttribute("aria-busy");
  }
  const fetched = new DOMParser().parseFromString(text, "text/html");
  // A whole page is an error, of which its middle is shown; else it is what the element holds.
  replace(element, fetched.getElementById("main") || fetched.body);
  const said = element.querySelector("[data-said]");
  tell(said ? said.dataset.said : "", { isWrong: false });
  if (push) history.pushState({ part }, "", address);
  document.dispatchEvent(new CustomEvent("shown", { detail: element }));
}

// Who uses the keyboard stays at the same box or link, and what was opened stays open.
function replace(element, fresh) {
  const { id, name } = element.contains(document.activeElement) ? document.activeElement : {};
  const opened = [...element.querySelectorAll("details[open][id]")].map((one) => one.id);
  element.replaceChildren(...fresh.childNodes);
  for (const one of opened) {
    const details = document.getElementById(one);
    if (details) details.open = true;
  }
  const same = (id && document.getElementById(id)) || (name && element.querySelector(`[name="${CSS.escape(name)}"]`));
  if (same) same.focus({ preventScroll: true });
}

function tell(text, { isWrong }) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.classList.toggle("wrong", isWrong);
}

let timer;
function asked(event) {
  const form = event.target.closest("form[data-part]");
  if (!form) return;
  clearTimeout(timer);
  const wait = event.type === "input" && event.target.matches("input[type=text], input[type=search], input[type=number]");
  // A box that others depend on names the part which holds them.
  const part = event.target.dataset.part || form.dataset.part;
  timer = setTimeout(() => show(addressOf(form), part, { push: true }), wait ? WAIT : 0);
}
document.addEventListener("input", asked);
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
  show(link.getAttribute("href"), link.dataset.part, { push: true });
});

window.addEventListener("popstate", () => location.reload());
