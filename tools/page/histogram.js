
// Live blocks by size, in powers of two: two bars each, of blocks and of bytes.
class Histogram {
  constructor(parent) {
    this.note = element("div", {class: "note"});
    this.holder = element("div", {class: "scroll"});
    parent.append(this.note, this.holder);
    this.surface = new Surface(this.holder, (context, width, height) => this.draw(context, width, height));
    this.surface.canvas.addEventListener("mousemove", (event) => this.onMove(event));
    this.surface.canvas.addEventListener("mouseleave", () => Tip.hide());
    this.rows = [];
  }

  show(picture) {
    const sizes = picture.sizes;
    this.rows = [];
    if (sizes) {
      const used = sizes.blocks.map((count, i) => count !== 0 ? i : -1).filter((i) => i >= 0);
      for (let i = used[0]; i <= used[used.length - 1]; ++i) {
        this.rows.push({name: this.rangeText(i), blocks: sizes.blocks[i], bytes: sizes.bytes[i]});
      }
    }
    this.note.textContent = !sizes ? "The sizes of blocks are not in this data." : sizes.exact ? "Live blocks by their size." :
        "Live blocks by the mean size of their stack: the list of blocks is not known.";
    this.surface.redraw();
  }

  rangeText(bucket) {
    if (bucket === 0) return "0 B";
    if (bucket === 1) return "1 B";
    const begin = 2 ** (bucket - 1);
    return bucket <= 10 ? begin + " to " + (2 * begin - 1) + " B" : "from " + bytesText(begin).replace(".00", "").replace(".0", "");
  }

  draw(context, width, height) {
    const surface = this.surface;
    const faint = surface.color("faint");
    if (this.rows.length === 0) return surface.text("There are no live blocks.", 16, 30, width, faint);
    const left = 130;
    const half = (width - left - 24) / 2;
    this.step = Math.max(12, Math.min(34, (height - 44) / this.rows.length));
    const most = (name) => Math.max(1, ...this.rows.map((row) => row[name]));
    const all = (name) => this.rows.reduce((sum, row) => sum + row[name], 0);
    surface.text("Blocks: " + countText(all("blocks")), left, 18, half, surface.color("text"));
    surface.text("Bytes: " + bytesText(all("bytes")), left + half + 12, 18, half, surface.color("text"));
    this.rows.forEach((row, i) => {
      const y = 32 + i * this.step;
      context.textAlign = "right";
      surface.text(row.name, left - 10, y + this.step / 2, left - 14, faint);
      context.textAlign = "left";
      [["blocks", countText, left], ["bytes", bytesText, left + half + 12]].forEach(([name, text, x]) => {
        const room = 90;
        const long = (half - room) * row[name] / most(name);
        surface.box(x, y + 2, Math.max(row[name] > 0 ? 1 : 0, long), this.step - 4, surface.color("bar"));
        if (row[name] > 0) surface.text(text(row[name]), x + long + 6, y + this.step / 2, room, faint);
      });
    });
  }

  onMove(event) {
    const row = this.rows[Math.floor((event.offsetY - 32) / this.step)];
    if (!row || event.offsetY < 32) return Tip.hide();
    Tip.show(event, row.name, nounText(row.blocks, "block"), bytesText(row.bytes));
  }
}
