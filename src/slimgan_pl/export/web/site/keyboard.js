// Single keys, which can be switched off: speech input and tremor press some by accident.

import { remember, remembered } from "./memory.js";
import { byId } from "./view.js";

/** Run the shortcut of a key, and return the message, or null for other keys. */
function press(app, key, isOnControl) {
  const { state } = app;
  const width = Number(key) - 1;
  if (key === "n") {
    app.setNewSeed();
    return `New latent, seed ${state.seed}.`;
  }
  if (key === "a" && app.last > 0) {
    app.setAuto(!state.isAuto);
    return state.isAuto ? "The budget chooses the width." : `Width ${app.names[state.width]} stays.`;
  }
  if (width >= 0 && width <= app.last) {
    app.chooseWidth(width);
    return `Width ${app.names[width]}.`;
  }
  if (key === " " && !isOnControl) {
    app.setWalking(!state.isWalking);
    return state.isWalking ? "Walking." : "Standing still.";
  }
  return null;
}

export function listenToKeys(app) {
  byId("keys").checked = remembered("keys") !== "off";
  byId("keys").addEventListener("change", ({ target }) => remember("keys", target.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input[type=number], select");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || !byId("keys").checked || byId("main").inert) return;
    const said = press(app, event.key.toLowerCase(), event.target.matches("button, input, summary, a"));
    if (said === null) return;
    event.preventDefault();
    app.tell(said);
  });
}
