
// Boxes below their callers, as wide as their value. A click makes a box as wide as the page.
const kBoxHeight = 21;

class FlameChart {
  // `describe` gives the lines of the tip of a label's box, `shade` the name that its color stands for.
  constructor(parent, options) {
    this.options = options;
    this.tree = null;
    this.zoomed = 0;
    this.chosen = 0;
    this.boxes = [];  // as they were drawn: [box, x, y, width]
    this.crumb = element("span", null, "");
    this.reset = element("button", {type: "button", onclick: () => this.zoom(0)}, "Whole graph");
    this.spacer = element("div", {class: "spacer"});
    this.scroller = element("div", {class: "scroll", onscroll: () => this.surface.redraw()}, this.spacer);
    parent.append(element("div", {class: "crumbs"}, this.reset, this.crumb), this.scroller);
    this.surface = new Surface(this.scroller, (context, width, height) => this.draw(context, width, height), this.spacer);
    const canvas = this.surface.canvas;
    canvas.addEventListener("click", (event) => this.onClick(event));
    canvas.addEventListener("mousemove", (event) => this.onMove(event));
    canvas.addEventListener("mouseleave", () => Tip.hide());
    canvas.addEventListener("keydown", (event) => this.onKey(event));
  }

  show(tree, matching) {
    const keys = this.tree ? this.tree.path(this.zoomed).map(this.key) : [];
    const chosen = this.tree ? this.tree.path(this.chosen).map(this.key) : [];
    this.tree = tree;
    this.key = this.options.key;
    this.matching = matching;
    this.zoomed = this.find(keys);
    this.chosen = this.find(chosen);
    this.tellZoom();
    this.surface.redraw();
  }

  // The box at the end of this way, or as far as the way goes.
  find(keys) {
    let box = 0;
    for (const key of keys) {
      const child = this.tree.children(box).find((one) => this.options.key(this.tree.label[one]) === key);
      if (child === undefined) break;
      box = child;
    }
    return box;
  }

  mark(matching) {
    this.matching = matching;
    this.surface.redraw();
  }

  zoom(box) {
    this.zoomed = box;
    this.chosen = box;
    this.scroller.scrollTop = 0;
    this.tellZoom();
    this.surface.redraw();
  }

  tellZoom() {
    const tree = this.tree;
    this.reset.hidden = this.zoomed === 0;
    const name = this.zoomed === 0 ? "All" : tree.name(tree.label[this.zoomed]);
    this.crumb.textContent = name + ": " + this.options.value(tree.value[this.zoomed]) +
        (this.zoomed === 0 ? "" : ", " + percentText(tree.value[this.zoomed], tree.value[0]) + " of all");
  }

  draw(context, width, height) {
    this.boxes = [];
    if (!this.tree || this.tree.value[0] === 0) {
      this.spacer.style.height = "0";
      this.surface.text("Nothing to show: every value is 0.", 16, 30, width - 32, this.surface.color("faint"));
      return;
    }
    this.lightness = this.surface.color("box-light");
    const top = this.scroller.scrollTop;
    const above = [];
    for (let box = this.tree.parent[this.zoomed]; box >= 0; box = this.tree.parent[box]) above.push(box);
    above.reverse().forEach((box, depth) => this.drawBox(box, 0, depth * kBoxHeight - top, width, height));
    let deepest = above.length;
    // Boxes of one depth after the other, so that no stack is too deep for it.
    let row = [[this.zoomed, 0, width]];
    for (let depth = above.length; row.length !== 0; ++depth) {
      deepest = depth + 1;
      const below = [];
      for (const [box, x, wide] of row) {
        this.drawBox(box, x, depth * kBoxHeight - top, wide, height);
        let at = x;
        for (const child of this.tree.children(box)) {
          const share = wide * this.tree.value[child] / this.tree.value[box];
          if (share < 0.6) break;  // the others are smaller still
          below.push([child, at, share]);
          at += share;
        }
      }
      row = below;
    }
    this.spacer.style.height = deepest * kBoxHeight + 8 + "px";
  }

  drawBox(box, x, y, width, height) {
    if (y + kBoxHeight < 0 || y > height) return;
    const surface = this.surface;
    const label = this.tree.label[box];
    const name = box === 0 ? "all" : this.tree.name(label);
    const hit = box !== 0 && this.matching && this.matching(label);
    const dim = this.matching && !hit;
    const hue = box === 0 ? 215 : surface.hue(this.options.shade(label));
    const fill = hit ? surface.color("hit") : "hsl(" + hue + " " + (box === 0 || dim ? 14 : 52) + "% " + this.lightness + ")";
    surface.box(x, y, Math.max(0.6, width - (width > 3 ? 1 : 0)), kBoxHeight - 1, fill);
    if (box === this.chosen && box !== 0) {
      surface.context.strokeStyle = surface.color("text");
      surface.context.lineWidth = 2;
      surface.context.strokeRect(x + 1, y + 1, Math.max(1, width - 3), kBoxHeight - 3);
    }
    surface.text(name, x + 5, y + kBoxHeight / 2, width - 9, hit ? "#ffffff" : surface.color("box-text"));
    this.boxes.push([box, x, y, width]);
  }

  at(event) {
    const found = this.boxes.find(([, x, y, width]) => event.offsetX >= x && event.offsetX < x + width &&
        event.offsetY >= y && event.offsetY < y + kBoxHeight);
    return found ? found[0] : -1;
  }

  onClick(event) {
    const box = this.at(event);
    if (box >= 0) this.zoom(box);
  }

  onMove(event) {
    const box = this.at(event);
    this.surface.canvas.style.cursor = box < 0 ? "" : "pointer";
    if (box <= 0) Tip.hide();
    else this.tell(event, box);
  }

  tell(event, box) {
    const tree = this.tree;
    Tip.show(event, tree.name(tree.label[box]), this.options.value(tree.value[box]) + ", " + percentText(tree.value[box], tree.value[0]) +
        " of all, " + percentText(tree.value[box], tree.value[tree.parent[box]]) + " of the box above", ...this.options.describe(tree.label[box], box));
  }

  onKey(event) {
    const tree = this.tree;
    const siblings = this.chosen === 0 ? [0] : tree.children(tree.parent[this.chosen]);
    const place = siblings.indexOf(this.chosen);
    const to = {
      ArrowDown: () => tree.children(this.chosen)[0],
      ArrowUp: () => this.chosen === 0 ? 0 : tree.parent[this.chosen],
      ArrowLeft: () => siblings[place - 1],
      ArrowRight: () => siblings[place + 1],
    }[event.key];
    if (to) {
      const box = to();
      if (box !== undefined) this.choose(box);
    } else if (event.key === "Enter") {
      this.zoom(this.chosen);
    } else if (event.key === "Escape") {
      this.zoom(0);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  choose(box) {
    this.chosen = box;
    const depth = this.tree.path(box).length;
    const top = depth * kBoxHeight;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = top;
    if (top + kBoxHeight > this.scroller.scrollTop + this.scroller.clientHeight) this.scroller.scrollTop = top + kBoxHeight - this.scroller.clientHeight;
    this.crumb.textContent = (box === 0 ? "All" : this.tree.name(this.tree.label[box])) + ": " + this.options.value(this.tree.value[box]) +
        ", " + percentText(this.tree.value[box], this.tree.value[0]) + " of all";
    this.surface.redraw();
  }
}
