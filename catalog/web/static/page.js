// A form that is changed shows what it now asks for: the part of the page that depends on it is
// fetched and put in place, and the address says the same, so that it can be kept and sent.
"use strict";

const WAIT = 150; // ms without a key, before what is written is asked for
let latest = 0;

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
  const element = document.getElementById(part);
  element.setAttribute("aria-busy", "true");
  let text;
  try {
    const answer = await fetch(address, { headers: { "X-Part": part } });
    text = await answer.text();
    if (!answer.headers.get("content-type").startsWith("text/html")) {
      document.getElementById("said").textContent = text;
      return;
    }
  } catch {
    document.getElementById("said").textContent = "The server does not answer: is catalog ui still running?";
    return;
  } finally {
    element.removeAttribute("aria-busy");
  }
  if (turn !== latest) return; // Something else was asked for meanwhile.
  const fetched = new DOMParser().parseFromString(text, "text/html");
  // A whole page is an error, of which its middle is shown; else it is what the element holds.
  const fresh = fetched.getElementById("main") || fetched.body;
  const focused = element.contains(document.activeElement) && document.activeElement.name;
  element.replaceChildren(...fresh.childNodes);
  if (focused) element.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
  document.getElementById("said").textContent = "";
  if (push) history.pushState({ part }, "", address);
  document.dispatchEvent(new CustomEvent("shown", { detail: element }));
}

let timer;
function asked(event) {
  const form = event.target.closest("form[data-part]");
  if (!form) return;
  clearTimeout(timer);
  const wait = event.type === "input" && event.target.matches("input[type=text], input[type=search], input[type=number]");
  timer = setTimeout(() => show(addressOf(form), form.dataset.part, { push: true }), wait ? WAIT : 0);
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
