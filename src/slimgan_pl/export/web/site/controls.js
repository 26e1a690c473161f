// The controls of the page.

import { remember } from "./memory.js";
import { byId } from "./view.js";

const THEMES = ["system", "light", "dark"];

/** Go through the schemes, and remember the one that is chosen; theme.js takes it up at the next visit. */
export function listenToTheme() {
  const { dataset } = document.documentElement;
  const show = () => (byId("theme").textContent = `Theme: ${dataset.theme ?? "system"}`);
  byId("theme").addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(dataset.theme ?? "system") + 1) % THEMES.length];
    if (next === "system") delete dataset.theme;
    else dataset.theme = next;
    remember("theme", next);
    show();
  });
  show();
}

/** Have a number in a field taken when it is whole and in range, and put the old one back when it is not. */
function listenToNumber(id, take, present) {
  byId(id).addEventListener("change", ({ target }) => {
    if (target.value !== "" && target.checkValidity()) take(target.valueAsNumber);
    else target.value = present();
  });
}

export function listenToControls(app) {
  const { state } = app;
  byId("width").addEventListener("input", ({ target }) => app.chooseWidth(target.valueAsNumber));
  byId("auto").addEventListener("change", ({ target }) => app.setAuto(target.checked));
  byId("budget-range").addEventListener("input", ({ target }) => app.setMilliseconds(Number((10 ** target.valueAsNumber).toPrecision(2))));
  listenToNumber("budget", (milliseconds) => app.setMilliseconds(milliseconds), () => state.milliseconds);
  byId("count").addEventListener("change", ({ target }) => app.setCount(Number(target.value)));
  listenToNumber("seed", (seed) => app.setSeed(seed), () => state.seed);
  byId("label").addEventListener("change", ({ target }) => app.change({ label: Number(target.value) }));
  byId("new").addEventListener("click", () => app.setNewSeed());
  byId("play").addEventListener("click", () => app.setWalking(!state.isWalking));
  byId("along").addEventListener("change", () => app.change({}));
  byId("measure").addEventListener("click", () => app.measure());
}
