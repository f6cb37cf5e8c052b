
// Modules as areas, and in each the functions that called the allocator.
const kModuleBar = 18;

// Lays areas out in a rectangle so that none is much longer than wide: rows along the shorter side, each as long as
// that makes its areas squarer. `items` have a `value`, the largest first; they get x, y, width, height.
function squarify(items, x, y, width, height) {
  let rest = items.reduce((sum, item) => sum + item.value, 0);
  let begin = 0;
  while (begin < items.length && rest > 0 && width > 0 && height > 0) {
    const side = Math.min(width, height);
    const scale = width * height / rest;
    let end = begin;
    let sum = 0;
    let worst = Infinity;
    while (end < items.length) {
      const more = sum + items[end].value;
      const thick = more * scale / side;
      const ratio = Math.max(thick * thick / (items[begin].value * scale), items[end].value * scale / (thick * thick));
      if (ratio > worst) break;
      worst = ratio;
      sum = more;
      ++end;
    }
    const thick = Math.min(sum * scale / side, Math.max(width, height));
    let at = 0;
    for (; begin < end; ++begin) {
      const long = side * items[begin].value / sum;
      Object.assign(items[begin], width >= height ? {x, y: y + at, width: thick, height: long} : {x: x + at, y, width: long, height: thick});
      at += long;
    }
    if (width >= height) {
      x += thick;
      width -= thick;
    } else {
      y += thick;
      height -= thick;
    }
    rest -= sum;
  }
}

class Treemap {
  // `open` is called with a label that was clicked.
  constructor(parent, open) {
    this.open = open;
    this.module = null;
    this.areas = [];
    this.crumb = element("span", null, "");
    this.reset = element("button", {type: "button", onclick: () => this.choose(null)}, "All modules");
    this.holder = element("div", {class: "scroll"});
    parent.append(element("div", {class: "crumbs"}, this.reset, this.crumb), this.holder);
    this.surface = new Surface(this.holder, (context, width, height) => this.draw(context, width, height));
    const canvas = this.surface.canvas;
    canvas.addEventListener("mousemove", (event) => this.onMove(event));
    canvas.addEventListener("mouseleave", () => Tip.hide());
    canvas.addEventListener("click", (event) => this.onClick(event));
    canvas.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.choose(null);
    });
  }

  show(heap, counters, metric) {
    this.heap = heap;
    this.metric = metric;
    const byLabel = new Float64Array(heap.labelCount);
    const values = metric.values(counters);
    for (let i = 0; i < values.length; ++i) byLabel[heap.frameLabel[heap.nodeFrame[counters.node[i]]]] += values[i];
    const modules = new Map();
    this.total = 0;
    byLabel.forEach((value, label) => {
      if (value === 0) return;
      this.total += value;
      const frame = heap.labelFrame[label];
      const path = heap.texts[heap.frames.module[frame]];
      if (!modules.has(path)) modules.set(path, {path, name: heap.moduleName(frame) || "(no module)", value: 0, functions: []});
      const module = modules.get(path);
      module.value += value;
      module.functions.push({label, value, module});
    });
    const largestFirst = (a, b) => b.value - a.value;
    this.modules = [...modules.values()].sort(largestFirst);
    for (const module of this.modules) module.functions.sort(largestFirst);
    if (!modules.has(this.module)) this.module = null;
    this.choose(this.module);
  }

  mark(matching) {
    this.matching = matching;
    this.surface.redraw();
  }

  choose(path) {
    this.module = path;
    const module = this.modules.find((one) => one.path === path);
    this.reset.hidden = path === null;
    this.crumb.textContent = module ? module.path + ": " + this.metric.text(module.value) + ", " + percentText(module.value, this.total) :
        nounText(this.modules.length, "module") + ": " + this.metric.text(this.total);
    this.surface.redraw();
  }

  draw(context, width, height) {
    this.areas = [];
    const modules = this.modules.filter((module) => this.module === null || module.path === this.module);
    if (this.total === 0) this.surface.text("Nothing to show: every value is 0.", 16, 30, width - 32, this.surface.color("faint"));
    squarify(modules, 0, 0, width, height);
    for (const module of modules) {
      if (!(module.width > 1 && module.height > 1)) continue;
      const lightness = this.surface.color("box-light");
      const hue = this.surface.hue(module.path);
      this.surface.box(module.x, module.y, module.width - 1, module.height - 1, "hsl(" + hue + " 25% " + lightness + ")");
      const bar = module.height > 40 && module.width > 40 ? kModuleBar : 0;
      if (bar) {
        this.surface.text(module.name + "  " + this.metric.text(module.value), module.x + 4, module.y + bar / 2, module.width - 8, this.surface.color("box-text"));
      }
      squarify(module.functions, module.x + 1, module.y + bar, module.width - 3, module.height - bar - 2);
      for (const area of module.functions) this.drawArea(area, hue, lightness);
    }
  }

  drawArea(area, hue, lightness) {
    if (!(area.width > 0.8 && area.height > 0.8)) return;
    const hit = this.matching && this.matching(area.label);
    const dim = this.matching && !hit;
    const fill = hit ? this.surface.color("hit") : "hsl(" + hue + " " + (dim ? 12 : 55) + "% " + lightness + ")";
    this.surface.box(area.x, area.y, Math.max(0.8, area.width - 1), Math.max(0.8, area.height - 1), fill);
    const color = hit ? "#ffffff" : this.surface.color("box-text");
    if (area.height > 16) this.surface.text(this.heap.labelName(area.label), area.x + 4, area.y + 9, area.width - 8, color);
    if (area.height > 34) this.surface.text(this.metric.text(area.value), area.x + 4, area.y + 25, area.width - 8, color);
    this.areas.push(area);
  }

  at(event) {
    return this.areas.find((area) => event.offsetX >= area.x && event.offsetX < area.x + area.width &&
        event.offsetY >= area.y && event.offsetY < area.y + area.height);
  }

  onMove(event) {
    const area = this.at(event);
    this.surface.canvas.style.cursor = area ? "pointer" : "";
    if (!area) return Tip.hide();
    Tip.show(event, this.heap.labelName(area.label), this.metric.text(area.value) + ", " + percentText(area.value, this.total) + " of all", area.module.path);
  }

  onClick(event) {
    const area = this.at(event);
    if (!area) return;
    if (this.module === null && this.modules.length > 1) this.choose(area.module.path);
    else this.open(area.label);
  }
}
