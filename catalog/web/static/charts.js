// Draws the charts of a page: each is a Vega-Lite specification that stands beside it as data.
"use strict";

let library;
function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.type = "module";
    script.src = "/static/vega.js";
    script.onload = () => resolve(window.vegaEmbed);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");

async function draw(figure) {
  const specification = JSON.parse(figure.querySelector("script").textContent);
  const embed = await load();
  const { view } = await embed(figure.querySelector(".drawing"), specification, {
    actions: false,
    renderer: "canvas",
    config: { background: "transparent" },
    theme: dark.matches ? "dark" : undefined,
  });
  view.addEventListener("click", (event, item) => {
    if (item?.datum?.address) location.assign(item.datum.address);
  });
  figure.dataset.drawn = "yes";
}

function drawAll(within) {
  for (const figure of within.querySelectorAll("figure.chart")) draw(figure);
}
document.addEventListener("shown", (event) => drawAll(event.detail));
dark.addEventListener("change", () => drawAll(document));
drawAll(document);
