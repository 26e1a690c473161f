// Timing every width, one image at a time.

import { quantile } from "./stats.js";
import { byId } from "./view.js";

/** Per width: number of timings, their least milliseconds, and the most milliseconds altogether. */
export const MEASURED = { timings: 40, atLeast: 2, longest: 1500 };

const [WARM, LEAST] = [3, 5]; // warm-up images; timings that a median needs

/** A measurement, which ends by itself or when the user asks for something else. */
export class Measurement {
  constructor(app, { timings, atLeast, longest }) {
    Object.assign(this, { app, timings, atLeast, longest, isCancelled: false });
    byId("measure").setAttribute("aria-disabled", "true");
  }

  cancel() {
    this.isCancelled = true;
  }

  /** Time the widths one after another, and return whether the measurement is complete. */
  async run() {
    const { app } = this;
    for (const [width, name] of app.names.entries()) {
      app.tell(`Measuring width ${name}.`);
      const times = await this.time(width);
      if (this.isCancelled) break;
      app.table.show(width, quantile(times, 0.5), quantile(times, 0.95));
      app.isMeasured[width] = true;
    }
    byId("measure").removeAttribute("aria-disabled");
    if (this.isCancelled) {
      app.tell("Stopped measuring.");
      return;
    }
    byId("how").textContent = `One image at a time, measured at ${new Date().toLocaleTimeString()}.`;
    app.tell("Measured all widths.");
  }

  /** Return milliseconds of one image; a timing is of as many as the clock needs. */
  async time(width) {
    const { app } = this;
    const [latents, labels] = [app.walk.at(app.state.position, 1), app.labels(1)];
    const generate = async (repeats) => (await app.runner.generate({ width, latents, labels, count: 1, repeats })).milliseconds;
    await generate(WARM);
    const repeats = Math.max(1, Math.ceil(this.atLeast / ((await generate(WARM)) || 0.01)));
    const [times, end] = [[], performance.now() + this.longest];
    const isEnough = () => times.length >= this.timings || (times.length >= LEAST && performance.now() >= end);
    while (!this.isCancelled && !isEnough()) times.push(await generate(repeats));
    return times;
  }
}
