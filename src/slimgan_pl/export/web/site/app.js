// The page: a loop that shows what the controls ask for, one call at a time, so that no outdated call waits.

import { Budget } from "./budget.js";
import { FrameTimes } from "./costs.js";
import { Walk } from "./latents.js";
import { Measurement, MEASURED } from "./measure.js";
import { inBytes, inMilliseconds, inShort, quantile, Recent } from "./stats.js";
import { byId, paint, Strip, Table } from "./view.js";

const LIVE = 31; // timings of a live median
const SLICE = 12; // milliseconds per frame for the strip of all widths
const SMOOTH = 60; // milliseconds of all widths up to which the walk starts with the strip

const newSeed = () => Math.floor(Math.random() * 1e6);

export class App {
  constructor(facts, runner) {
    this.facts = facts;
    this.runner = runner;
    this.names = facts.widths.map((width) => `${width.width}`);
    this.last = this.names.length - 1;
    this.strip = new Strip(this.names);
    this.table = new Table(facts.widths);
    this.budget = new Budget(this.names.length);
    this.frameTimes = new FrameTimes(facts.widths.map(({ macs, parameters }) => macs ?? parameters));
    this.shown = null; // the width and number of images of the last frame
    this.stripTimes = this.names.map(() => new Recent(LIVE));
    this.frames = []; // times of the frames in the last second
    this.state = { width: this.last, isAuto: false, milliseconds: 16, count: 1, label: 0, position: 0, isWalking: false };
    this.isStale = true;
    this.isIdle = false; // whether the page is up to date
    this.job = null; // the strip's latent, its images so far, and the widths that are left
    this.jobs = 0;
    this.measuring = null;
    this.isMeasured = this.names.map(() => false);
    this.measured = { ...MEASURED };
    this.live = LIVE;
    this.setNewSeed();
    this.setWidth(this.last);
  }

  // What the controls change.

  change(values) {
    Object.assign(this.state, values);
    this.isStale = true;
    this.job = null;
    this.measuring?.cancel();
    this.resume();
  }

  resume() {
    this.isIdle = false;
    this.wake?.();
  }

  setSeed(seed) {
    this.walk = new Walk(seed, this.facts.latent_dim);
    byId("seed").value = seed;
    this.change({ seed, position: 0 });
  }

  setNewSeed() {
    this.setSeed(newSeed());
  }

  setWidth(width) {
    this.change({ width });
    const { parameters, macs, bytes } = this.facts.widths[width];
    byId("width").value = width;
    byId("width").setAttribute("aria-valuetext", `width ${this.names[width]}`);
    byId("stage-width").textContent = `Width ${this.names[width]}`;
    byId("parameters").textContent = inShort(parameters);
    byId("macs").textContent = inShort(macs);
    byId("weights").textContent = inBytes(bytes);
    document.documentElement.style.setProperty("--chosen", `var(--width-${width})`);
    [...byId("stops").children].forEach((stop, index) => stop.classList.toggle("is-chosen", index === width));
    this.strip.choose(width);
  }

  chooseWidth(width) {
    this.setAuto(false);
    this.setWidth(width);
  }

  setAuto(isAuto) {
    byId("auto").checked = isAuto;
    byId("budget-field").classList.toggle("is-off", !isAuto);
    byId("stage-by").textContent = isAuto ? ", chosen by the budget" : "";
    this.budget.startAt(this.state.width);
    this.change({ isAuto });
  }

  setMilliseconds(milliseconds) {
    byId("budget").value = milliseconds;
    byId("budget-range").value = Math.log10(milliseconds);
    byId("budget-range").setAttribute("aria-valuetext", inMilliseconds(milliseconds));
    this.budget.reset();
    this.change({ milliseconds });
  }

  setCount(count) {
    this.budget.reset();
    this.change({ count });
  }

  setWalking(isWalking) {
    byId("play").textContent = isWalking ? "Pause" : "Walk";
    this.frames = [];
    this.before = null;
    this.change({ isWalking });
  }

  /** Time all widths, in place of frames, until the user changes something. */
  measure() {
    if (this.measuring) return;
    this.measuring = new Measurement(this, this.measured);
    this.resume();
  }

  // Frames.

  /** Show one frame to time the widths; then walk, unless the system asks for less motion. */
  async begin() {
    await this.makeFrame(performance.now());
    for (let i = 0; i < 3; i += 1) {
      this.beginStrip(this.walk.at(0, 1));
      while (this.job) await this.makeNextOfStrip();
      if (i === 0) this.stripTimes.forEach((recent) => recent.clear()); // a first run is slower than others
    }
    byId("along").checked = this.stripTimes.reduce((sum, recent) => sum + recent.median, 0) < SMOOTH;
    this.setWalking(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  /** Show frames for as long as the page is open; stand still where nothing changes. */
  async run() {
    for (;;) {
      if (!this.isStale && !this.state.isWalking && !this.isTrying && !this.job && !this.measuring) {
        this.isIdle = true;
        await new Promise((wake) => (this.wake = wake));
      }
      const now = await new Promise(requestAnimationFrame);
      if (this.measuring) {
        await this.measuring.run();
        this.measuring = null;
      }
      if (this.state.isWalking) this.step(now);
      if (this.isStale || this.isTrying) await this.makeFrame(now);
      if (this.job) await this.advanceStrip();
    }
  }

  /** Whether the budget still needs timings of the present width. */
  get isTrying() {
    return this.state.isAuto && !this.budget.isSettled;
  }

  step(now) {
    const seconds = Math.min(0.1, (now - (this.before ?? now)) / 1000); // no leap after a tab was hidden
    this.before = now;
    this.state.position += seconds * byId("speed").valueAsNumber;
    this.isStale = true;
  }

  labels(count) {
    const { label } = this.state;
    return Array.from({ length: count }, (_, image) => (label < 0 ? image % this.facts.num_classes : label));
  }

  async makeFrame(now) {
    const { width, count, position, isAuto } = this.state;
    this.isStale = false;
    const latents = this.walk.at(position, count);
    const { pixels, milliseconds } = await this.runner.generate({ width, latents, labels: this.labels(count), count });
    paint(byId("stage"), pixels, this.facts.image_size);
    const isLike = this.shown?.width === width && this.shown.count === count;
    this.shown = { width, count };
    if (isLike) this.frameTimes.add(width, count, milliseconds); // the first of its kind takes longer
    this.frames = [...this.frames.filter((time) => now - time < 1000), now];
    this.showFrame(this.frameTimes.recent(width, count, LIVE) ?? milliseconds);
    if (!this.job && (byId("along").checked || !this.state.isWalking)) this.beginStrip(latents.slice(0, this.facts.latent_dim));
    const isPresent = width === this.state.width && count === this.state.count;
    if (isLike && isPresent && isAuto && this.state.isAuto) this.follow(milliseconds);
  }

  follow(milliseconds) {
    const { width: before, count } = this.state;
    const costs = this.frameTimes.costs(count, before);
    const width = this.budget.record(milliseconds, this.state.milliseconds, costs);
    if (width < before) this.frameTimes.doubt(before, count);
    if (width !== before) this.setWidth(width);
    else if (this.budget.isSettled) this.tell(`Width ${this.names[width]}, chosen by the budget.`);
  }

  /** Begin with another width each time: the first one's time suffers from the frame before. */
  beginStrip(latents) {
    const widths = [...this.names.keys()];
    const first = this.jobs % widths.length;
    this.jobs += 1;
    this.job = { latents, images: [], left: [...widths.slice(first), ...widths.slice(0, first)] };
  }

  /** Show more of the strip for a few milliseconds, or one width of it: the frame comes first. */
  async advanceStrip() {
    const end = performance.now() + SLICE;
    do await this.makeNextOfStrip();
    while (this.job && performance.now() < end);
  }

  async makeNextOfStrip() {
    const { job } = this;
    const width = job.left[0];
    const what = { width, latents: job.latents, labels: this.labels(1), count: 1 };
    const { pixels, milliseconds } = await this.runner.generate(what);
    this.stripTimes[width].add(milliseconds);
    if (job !== this.job) return; // another latent is wanted by now
    job.images[width] = pixels;
    job.left.shift();
    if (job.left.length) return;
    this.strip.paint(job.images, this.facts.image_size);
    this.latents = job.latents;
    this.job = null;
    this.showTimes();
  }

  // What is said.

  tell(sentence) {
    if (byId("status").textContent !== sentence) byId("status").textContent = sentence;
  }

  showFrame(milliseconds) {
    const { width, count, seed, isWalking } = this.state;
    const images = count === 1 ? "an image" : `${count} images`;
    byId("stage").setAttribute("aria-label", `${images} of width ${this.names[width]}, seed ${seed}`);
    byId("stage-time").textContent = inMilliseconds(milliseconds);
    const rate = isWalking ? `${this.frames.length} frames per second` : "standing still";
    byId("stage-rate").textContent = `${images} per frame, ${rate}`;
  }

  showTimes() {
    const times = this.stripTimes.map((recent) => recent.median);
    this.strip.showTimes(times);
    this.stripTimes.forEach(({ values }, width) => {
      if (!this.isMeasured[width]) this.table.show(width, times[width], quantile(values, 0.95));
    });
  }
}
