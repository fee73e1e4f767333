// Draws the charts of a page: each is a Vega-Lite specification that stands beside it as data.
"use strict";

let library = null;
function load() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.type = "module";
    script.src = "/static/vega.js";
    script.onload = () => resolve(window.vegaEmbed);
    script.onerror = () => {
      library = null; // The next chart tries again.
      script.remove();
      reject(new Error("/static/vega.js cannot be loaded"));
    };
    document.head.append(script);
  });
  return library;
}

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map(); // a figure: what was drawn in it, which holds memory until it is finalized

async function draw(figure) {
  const drawing = figure.querySelector(".drawing");
  try {
    const specification = JSON.parse(figure.querySelector("script").textContent);
    const embed = await load();
    drawn.get(figure)?.finalize();
    const made = await embed(drawing, specification, {
      actions: false,
      renderer: "canvas",
      config: { background: "transparent" },
      theme: dark.matches ? "dark" : undefined,
    });
    if (!figure.isConnected) {
      made.finalize(); // Something else was shown meanwhile.
      return;
    }
    drawn.set(figure, made);
    made.view.addEventListener("click", (event, item) => {
      if (item?.datum?.address) location.assign(item.datum.address);
    });
    figure.dataset.drawn = "yes";
  } catch (error) {
    drawing.textContent = `This chart could not be drawn: ${error.message}`;
  }
}

function drawAll(within) {
  for (const figure of within.querySelectorAll("figure.chart")) draw(figure);
}
document.addEventListener("shown", (event) => drawAll(event.detail));
document.addEventListener("leaving", (event) => {
  for (const [figure, made] of drawn) {
    if (!event.detail.contains(figure)) continue;
    made.finalize();
    drawn.delete(figure);
  }
});
dark.addEventListener("change", () => drawAll(document));
drawAll(document);
