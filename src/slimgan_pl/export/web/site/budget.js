// Choice of the width by a budget of time on this device.

import { median } from "./stats.js";

const WINDOW = 31; // timings that tell whether the budget is missed
const QUICK = 7; // timings that tell as much where it is missed by far
const FAR = 1.25; // times the budget
const ENOUGH = 15; // timings before going up
const HEADROOM = 0.85; // share of the budget that a wider width may be expected to take
const TRIAL = 100; // timings after which a width that was gone up to is known to fit
const PATIENCE = 100; // timings before a width that failed is tried again; twice as many after each failure
const MOST_PATIENCE = 800;
const MOST_TRIES = 3; // failures after which a standing page makes no more frames for a try

/** Chooses the widest width that fits: down to it as soon as the budget is missed, up one by one where there is room. */
export class Budget {
  constructor(count, width = count - 1) {
    this.count = count;
    this.width = width;
    this.reset();
  }

  /** Forget the timings, for another budget or another load. */
  reset() {
    this.timings = [];
    this.now = 0; // timings so far
    this.since = 0; // when the present width was gone to
    this.again = Array(this.count).fill(0); // when each width may be tried
    this.failures = Array(this.count).fill(0);
    this.isSettled = false; // whether more timings would change nothing, as far as can be told
  }

  /** Resume from a width that was chosen by other means. */
  startAt(width) {
    this.width = width;
    this.reset();
  }

  /**
   * Take a timing of the present width, and return the next width.
   *
   * milliseconds: Time of the present width.
   * budget: Most milliseconds of a frame.
   * costs: Cost of each width, in any unit: only ratios count.
   */
  record(milliseconds, budget, costs) {
    this.now += 1;
    this.timings = [...this.timings, milliseconds].slice(-WINDOW);
    if (this.now - this.since >= TRIAL) this.failures[this.width] = 0;
    const missed = this.missed(budget);
    if (missed !== null && this.width > 0) return this.goDown(missed, budget, costs);
    if (this.timings.length < ENOUGH) return this.width;
    const next = this.width + 1;
    const waits = this.now < this.again[next];
    const expected = (median(this.timings) * costs[next]) / costs[this.width];
    if (next < this.count && !waits && expected <= HEADROOM * budget) return this.move(next);
    this.isSettled = this.timings.length === WINDOW && !(waits && this.failures[next] < MOST_TRIES);
    return this.width;
  }

  /** Return what the present width takes if that is too long, or null. */
  missed(budget) {
    const quick = median(this.timings.slice(-QUICK));
    if (this.timings.length >= QUICK && quick > FAR * budget) return quick;
    const present = median(this.timings);
    return this.timings.length === WINDOW && present > budget ? present : null;
  }

  goDown(present, budget, costs) {
    const { width } = this;
    const fits = costs.slice(0, width).map((cost) => (present * cost) / costs[width] <= budget);
    const fitting = Math.max(0, fits.lastIndexOf(true));
    this.failures[width] += 1;
    for (let wider = fitting + 1; wider <= width; wider += 1) {
      const patience = PATIENCE * 2 ** Math.max(0, this.failures[wider] - 1);
      this.again[wider] = this.now + Math.min(patience, MOST_PATIENCE);
    }
    return this.move(fitting);
  }

  move(width) {
    this.width = width;
    this.timings = [];
    this.since = this.now;
    this.isSettled = false;
    return width;
  }
}
