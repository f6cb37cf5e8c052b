
// Light or dark, as the system says until somebody chooses.
class Theme {
  constructor(changed) {
    this.changed = changed;
    const system = matchMedia("(prefers-color-scheme: dark)");
    this.set(system.matches);
    system.addEventListener("change", () => this.set(system.matches));
  }

  set(dark) {
    document.documentElement.classList.toggle("dark", dark);
    this.changed();
  }

  toggle() {
    this.set(!document.documentElement.classList.contains("dark"));
  }
}
