// Runs before the first paint: the remembered theme, or the system's, stands on <html> before anything is drawn.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null;
    }
  };
  const show = () => {
    const theme = remembered() || (system.matches ? "dark" : "light");
    root.dataset.theme = theme;
    for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
      meta.content = theme === "dark" ? "#0d1210" : "#faf9f5";
    }
  };
  root.classList.add("js");
  show();
  system.addEventListener("change", show);
  addEventListener("storage", show);
  addEventListener("theme:toggle", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    const asSystem = next === (system.matches ? "dark" : "light");
    try {
      // Back at the system's own theme there is nothing to remember: the page follows the system again.
      if (asSystem) localStorage.removeItem("theme");
      else localStorage.setItem("theme", next);
    } catch {
      // private windows may refuse; the switch then lasts as long as the page
    }
    show();
    root.dataset.theme = next;
  });
})();
