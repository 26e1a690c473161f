// Parts of the page: pictures, the strip of all widths, the table.

import { inBytes, inDigits, inMilliseconds, inShort } from "./stats.js";

export const byId = (id) => document.getElementById(id);

/** Return an element with text or other elements in it; `colour` is the number of a width. */
function make(tag, { colour, ...properties }, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (colour !== undefined) element.style.setProperty("--colour", `var(--width-${colour})`);
  element.append(...children);
  return element;
}

/** Paint RGBA bytes of images of so many pixels a side, in as many columns as rows. */
export function paint(canvas, pixels, side) {
  const bytes = side * side * 4;
  const count = pixels.length / bytes;
  const columns = Math.ceil(Math.sqrt(count));
  const size = columns * (side + 1) - 1; // a pixel between neighbours
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const context = canvas.getContext("2d", { willReadFrequently: true }); // kept in memory, where the bytes come from
  for (let image = 0; image < count; image += 1) {
    const picture = new ImageData(pixels.subarray(image * bytes, (image + 1) * bytes), side, side);
    context.putImageData(picture, (image % columns) * (side + 1), Math.floor(image / columns) * (side + 1));
  }
}

/** One latent at every width, with what each takes. */
export class Strip {
  constructor(widths) {
    this.items = widths.map((name, index) => {
      const canvas = make("canvas", { width: 1, height: 1 });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", `an image of width ${name}`);
      const time = make("span", { textContent: "–" });
      const label = make("span", {}, make("span", { className: "swatch" }), name);
      const bar = make("span", { className: "bar" }, make("span", {}));
      return { canvas, time, element: make("li", { colour: index }, canvas, make("div", {}, label, time), bar) };
    });
    byId("strip").replaceChildren(...this.items.map((item) => item.element));
  }

  paint(images, side) {
    images.forEach((pixels, index) => paint(this.items[index].canvas, pixels, side));
  }

  showTimes(times) {
    const most = Math.max(...times);
    this.items.forEach(({ element, time }, index) => {
      time.textContent = inMilliseconds(times[index]);
      element.style.setProperty("--share", (times[index] ?? 0) / (most || 1));
    });
  }

  choose(width) {
    this.items.forEach(({ element }, index) => element.classList.toggle("is-chosen", index === width));
  }
}

/** The table of widths, with their times on this device. */
export class Table {
  constructor(widths) {
    const metrics = [...new Set(widths.flatMap((width) => Object.keys(width.metrics ?? {})))];
    const heads = ["Width", "Parameters", "MACs", "Weights", ...metrics, "Median", "95th percentile", "Images/s"];
    byId("head").replaceChildren(...heads.map((textContent) => make("th", { textContent, scope: "col" })));
    this.rows = widths.map((width, index) => {
      const name = make("th", { colour: index, scope: "row" }, make("span", { className: "swatch" }), `${width.width}`);
      const known = [inShort(width.parameters), inShort(width.macs), inBytes(width.bytes)];
      const texts = [...known, ...metrics.map((metric) => inDigits(width.metrics?.[metric] ?? null)), "–", "–", "–"];
      return make("tr", {}, name, ...texts.map((textContent) => make("td", { textContent })));
    });
    byId("rows").replaceChildren(...this.rows);
  }

  /** Show milliseconds for one image: the median, and below what 95 of 100 lie. */
  show(index, median, high) {
    const texts = [inMilliseconds(median), inMilliseconds(high), inShort(median ? 1000 / median : null)];
    const cells = [...this.rows[index].cells].slice(-texts.length);
    cells.forEach((cell, number) => (cell.textContent = texts[number]));
  }
}
