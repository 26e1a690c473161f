// Times of frames: of each width, at each number of images.

import { median } from "./stats.js";

const KEPT = 120; // timings, so that a cost outlasts a slow spell
const FEW = 3; // timings that a cost may rest on
const FRESH = 1800; // frames for which timings of another width stay valid

/** Frame times by width and number of images, and expected times of widths without recent frames. */
export class FrameTimes {
  /** known: Nominal cost of each width, in any unit, such as its MACs. */
  constructor(known) {
    this.known = known;
    this.frames = 0;
    this.entries = new Map();
  }

  add(width, count, milliseconds) {
    this.frames += 1;
    const { values } = this.entry(width, count);
    this.entries.set(`${width} ${count}`, { values: [...values, milliseconds].slice(-KEPT), frame: this.frames, isDoubted: false });
  }

  entry(width, count) {
    return this.entries.get(`${width} ${count}`) ?? { values: [], frame: 0, isDoubted: false };
  }

  /** Take what a width took for too much: that it was slow once must not keep it from ever being tried again. */
  doubt(width, count) {
    this.entry(width, count).isDoubted = true;
  }

  /** Return the median of the last so many timings of a width, or null where there are none. */
  recent(width, count, size) {
    const values = this.entry(width, count).values.slice(-size);
    return values.length ? median(values) : null;
  }

  /**
   * Return what every width costs at so many images: its own timings, or where there are none those of the nearest width,
   * by what both should cost, and the less of both where its own are in doubt. Seen from the present width, none that is
   * wider costs less, and none narrower more.
   */
  costs(count, present) {
    const seen = this.known.map((_, width) => this.seen(width, count));
    const isDoubted = this.known.map((_, width) => this.entry(width, count).isDoubted);
    const places = [...seen.keys()].filter((width) => seen[width] !== null && !isDoubted[width]);
    if (!places.length) return [...this.known];
    const costs = this.known.map((known, width) => {
      if (seen[width] !== null && !isDoubted[width]) return seen[width];
      const nearest = places.reduce((best, place) => (Math.abs(place - width) < Math.abs(best - width) ? place : best));
      return Math.min(seen[width] ?? Infinity, (seen[nearest] * known) / this.known[nearest]);
    });
    for (let width = present + 1; width < costs.length; width += 1) costs[width] = Math.max(costs[width], costs[width - 1]);
    for (let width = present - 1; width >= 0; width -= 1) costs[width] = Math.min(costs[width], costs[width + 1]);
    return costs;
  }

  seen(width, count) {
    const { values, frame } = this.entry(width, count);
    if (values.length < FEW || this.frames - frame > FRESH) return null;
    return Math.max(median(values), 0.001); // a browser's coarse clock may say 0
  }
}
