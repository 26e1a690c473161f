// What the page remembers in this browser; where storage is switched off, until it is left.

export function remembered(name) {
  try {
    return localStorage.getItem(`slimgan-${name}`);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`slimgan-${name}`, value);
  } catch {
    // the choice holds for this visit
  }
}
