
// A canvas as large as its holder, sharp on every screen, with the colors of the theme.
class Surface {
  // `parent` is in the holder, and may be longer than it: the canvas stays in view.
  constructor(holder, draw, parent = holder) {
    this.holder = holder;
    this.draw = draw;
    this.drawn = 0;  // shapes of the last picture
    this.canvas = element("canvas", {tabindex: "0"});
    this.context = this.canvas.getContext("2d");
    this.frame = element("div", {class: "canvas-holder"}, this.canvas);
    parent.append(this.frame);
    new ResizeObserver(() => this.redraw()).observe(holder);
  }

  redraw() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.now();
    });
  }

  now() {
    const width = this.holder.clientWidth;
    const height = this.holder.clientHeight;
    if (width === 0 || height === 0) return;
    const scale = devicePixelRatio || 1;
    if (this.canvas.width !== Math.round(width * scale) || this.canvas.height !== Math.round(height * scale)) {
      this.canvas.width = Math.round(width * scale);
      this.canvas.height = Math.round(height * scale);
      this.canvas.style.width = width + "px";
      this.canvas.style.height = height + "px";
    }
    const style = getComputedStyle(document.documentElement);
    this.color = (name) => style.getPropertyValue("--" + name).trim();
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, width, height);
    this.context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    this.context.textBaseline = "middle";
    this.drawn = 0;
    this.draw(this.context, width, height);
  }

  // A color for a name: the same on every page.
  hue(name) {
    let hash = 7;
    for (let i = 0; i < name.length; ++i) hash = (hash * 31 + name.charCodeAt(i)) | 0;
    return (Math.imul(hash, 0x9e3779b1) >>> 8) % 360;  // near names, far colors
  }

  box(x, y, width, height, fill) {
    this.context.fillStyle = fill;
    this.context.fillRect(x, y, width, height);
    ++this.drawn;
  }

  // As much of the text as there is room for.
  text(text, x, y, room, color) {
    if (room < 20) return;
    let shown = text;
    if (this.context.measureText(shown).width > room) {
      let low = 0;
      let high = Math.min(text.length, Math.ceil(room / 3));
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (this.context.measureText(text.slice(0, middle) + "\u2026").width <= room) low = middle;
        else high = middle - 1;
      }
      if (low < 2) return;
      shown = text.slice(0, low) + "\u2026";
    }
    this.context.fillStyle = color;
    this.context.fillText(shown, x, y);
  }
}
