const configs = JSON.parse(document.getElementById("configs").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const drawn = new Map(); // the view in each place

async function draw(place) {
  const spec = JSON.parse(place.querySelector("script").textContent);
  const scheme = dark.matches ? "dark" : "light";
  drawn.get(place)?.finalize();
  let canvas = place.querySelector(".canvas");
  if (canvas === null) {
    canvas = document.createElement("div");
    canvas.className = "canvas";
    canvas.style.width = "100%";
    place.append(canvas);
  }
  const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, config: configs[scheme] };
  drawn.set(place, await vegaEmbed(canvas, spec, options));
  place.dataset.scheme = scheme;
}

async function drawAll() {
  for (const place of document.querySelectorAll(".chart")) {
    if (place.offsetWidth > 0) await draw(place);
  }
}

for (const select of document.querySelectorAll("[data-choice]")) {
  select.addEventListener("change", () => {
    for (const option of select.options) document.getElementById(option.value).hidden = !option.selected;
    drawAll();
  });
}

for (const button of document.querySelectorAll("[data-animation]")) {
  const source = document.getElementById(button.dataset.animation).querySelector("source");
  const show = (isStill) => {
    source.media = isStill ? "all" : "not all";
    button.textContent = isStill ? "Play" : "Pause";
  };
  show(still.matches);
  button.addEventListener("click", () => show(source.media !== "all"));
  still.addEventListener("change", () => show(still.matches));
}

dark.addEventListener("change", drawAll);
drawAll();
