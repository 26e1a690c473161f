// Timings, their statistics, and the form of numbers.

/** Return the number below which a share of the values lies, between neighbours on a line. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (place - low);
}

export const median = (values) => quantile(values, 0.5);

/** The last timings of something. */
export class Recent {
  constructor(size) {
    this.size = size;
    this.values = [];
  }

  add(value) {
    this.values.push(value);
    if (this.values.length > this.size) this.values.shift();
  }

  clear() {
    this.values = [];
  }

  /** The median, or null where there are no timings yet. */
  get median() {
    return this.values.length ? median(this.values) : null;
  }
}

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const inShort = (number) => (number === null ? "–" : compact.format(number));
export const inDigits = (number) => (number === null ? "–" : short.format(number));

/** Return milliseconds as text; a time below the clock's resolution is marked as such. */
export function inMilliseconds(number) {
  if (number === null) return "–";
  return number < 0.01 ? "< 0.01 ms" : `${short.format(number)} ms`;
}

export function inBytes(number) {
  return number < 1e6 ? `${short.format(number / 1e3)} kB` : `${short.format(number / 1e6)} MB`;
}
