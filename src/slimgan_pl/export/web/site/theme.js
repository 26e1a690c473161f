// The light or dark scheme that was chosen here before; a script of its own, so that the page never shows the other first.

try {
  const theme = localStorage.getItem("slimgan-theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is switched off: the system's scheme holds
}
