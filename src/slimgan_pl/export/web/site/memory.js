// Memory of the page in this browser; without storage, until the visitor leaves.

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
