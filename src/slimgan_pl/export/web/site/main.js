// The start of the page: its facts, its generator, and its errors.

import { App } from "./app.js";
import { listenToControls, listenToTheme } from "./controls.js";
import { fetchJSON } from "./fetching.js";
import { listenToKeys } from "./keyboard.js";
import { Runner } from "./runner.js";
import { inBytes } from "./stats.js";
import { byId } from "./view.js";

const MOST_THREADS = 4; // small nets gain nothing from more
const LIGHT = 200e6; // MACs of a frame of 16 images, up to which the page starts with so many

/** Fill in what depends on the generator. */
function prepare(app, facts, threads) {
  byId("width").max = app.last;
  byId("width").value = app.last;
  byId("stops").replaceChildren(...app.names.map((name) => Object.assign(document.createElement("span"), { textContent: name })));
  document.querySelectorAll(".several").forEach((element) => (element.hidden = app.last === 0)); // nothing to choose from
  app.setWidth(app.last);
  byId("count").value = 16 * (facts.widths[app.last].macs ?? Infinity) < LIGHT ? 16 : 1;
  app.setCount(Number(byId("count").value));
  app.setMilliseconds(app.state.milliseconds);
  app.setAuto(false);
  byId("label-field").hidden = facts.num_classes === 0;
  const names = facts.classes?.names ?? [...Array(facts.num_classes).keys()].map(String);
  const classes = names.map((name, number) => new Option(name, number));
  byId("label").replaceChildren(...classes, new Option("in turn", -1));
  byId("how").textContent = `One image at a time; live, over the last ${app.live}.`;
  const because = self.crossOriginIsolated ? "" : ", since the server does not isolate the page";
  byId("setup").textContent = `WebAssembly on ${threads} ${threads === 1 ? `thread${because}` : "threads"}.`;
}

/** Show an error, and hide all controls. */
function fail(error) {
  byId("loading").hidden = true;
  byId("status").textContent = "";
  byId("main").inert = true;
  byId("error").textContent = error.message;
  byId("error").hidden = false;
  byId("error").scrollIntoView({ block: "center" });
  byId("error").focus();
}

async function start() {
  byId("unserved").remove();
  listenToTheme();
  const facts = await fetchJSON("facts.json", { cache: "no-cache" });
  const runner = new Runner((bytes) => (byId("progress").value = bytes / facts.bytes));
  const threads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
  byId("loading").hidden = false;
  byId("status").textContent = `Loading ${inBytes(facts.bytes)}.`;
  await runner.load({ threads, digest: facts.digest });
  const app = new App(facts, runner);
  prepare(app, facts, threads);
  listenToControls(app);
  listenToKeys(app);
  await app.begin();
  window.slimgan = app; // for a look from the browser's console
  byId("loading").hidden = true;
  byId("main").hidden = false;
  app.tell("Ready.");
  await app.run();
}

start().catch(fail);
