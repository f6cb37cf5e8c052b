
// Live bytes of several snapshots in the order of time, and of the moments that the program marked.
class Timeline {
  constructor(parent, open) {
    this.open = open;
    this.points = [];
    this.note = element("div", {class: "note"});
    this.holder = element("div", {class: "scroll"});
    parent.append(this.note, this.holder);
    this.surface = new Surface(this.holder, (context, width, height) => this.draw(context, width, height));
    this.surface.canvas.addEventListener("mousemove", (event) => this.onMove(event));
    this.surface.canvas.addEventListener("mouseleave", () => Tip.hide());
    this.surface.canvas.addEventListener("click", (event) => {
      const point = this.at(event);
      if (point && point.picture !== null) this.open(point.picture);
    });
  }

  // A point: {name, ms, bytes, process, picture or null for a mark}.
  static points(heap) {
    const points = heap.pictures.map((picture, i) => ({name: picture.label, ms: picture.taken_ms, bytes: picture.totals.live_bytes, picture: i,
      process: picture.pid + " " + picture.started_ms}));
    const marks = new Map();
    for (const picture of heap.pictures) {
      for (const mark of picture.marks) marks.set(mark.ms + " " + mark.name, {name: "mark " + mark.name, ms: mark.ms, bytes: mark.live_bytes, picture: null,
        process: picture.pid + " " + picture.started_ms});
    }
    points.push(...[...marks.values()].filter((mark) => mark.ms !== null));
    if (points.some((point) => point.ms === null)) return points.filter((point) => point.picture !== null);
    return points.sort((a, b) => a.ms - b.ms);
  }

  show(points) {
    this.points = points;
    this.timed = points.every((point) => point.ms !== null);
    this.note.textContent = "Live bytes of each snapshot" + (this.timed ? " by time" : " in the order of the files") + "; a click opens the snapshot.";
    this.surface.redraw();
  }

  draw(context, width, height) {
    const surface = this.surface;
    const left = 90;
    const right = width - 40;
    const top = 24;
    const bottom = height - 44;
    const most = Math.max(1, ...this.points.map((point) => point.bytes)) * 1.05;
    const begin = this.timed ? this.points[0].ms : 0;
    const span = Math.max(1, this.timed ? this.points[this.points.length - 1].ms - begin : this.points.length - 1);
    for (let i = 0; i <= 4; ++i) {
      const y = bottom - (bottom - top) * i / 4;
      surface.box(left, y, right - left, 1, surface.color("line"));
      context.textAlign = "right";
      surface.text(bytesText(Math.round(most * i / 4)), left - 8, y, left - 10, surface.color("faint"));
      context.textAlign = "left";
    }
    this.points.forEach((point, i) => {
      point.x = left + 10 + (right - left - 20) * (this.timed ? point.ms - begin : i) / span;
      point.y = bottom - (bottom - top) * point.bytes / most;
    });
    context.strokeStyle = surface.color("accent");
    context.lineWidth = 2;
    for (const process of new Set(this.points.map((point) => point.process))) {
      context.beginPath();
      for (const point of this.points.filter((one) => one.process === process)) context.lineTo(point.x, point.y);
      context.stroke();
    }
    let free = -Infinity;
    for (const point of this.points) {
      surface.box(point.x - 4, point.y - 4, 8, 8, surface.color(point.picture === null ? "warn" : "accent"));
      const text = point.picture === null ? point.name : this.timed ? new Date(point.ms).toLocaleTimeString("en-GB") : point.name;
      const wide = Math.min(150, context.measureText(text).width);
      const x = Math.max(left, Math.min(width - wide - 4, point.x - wide / 2));
      if (x > free) {
        surface.text(text, x, bottom + 18, 152, surface.color("faint"));
        free = x + wide + 10;
      }
    }
  }

  at(event) {
    return this.points.find((point) => Math.abs(point.x - event.offsetX) < 10 && Math.abs(point.y - event.offsetY) < 10);
  }

  onMove(event) {
    const point = this.at(event);
    this.surface.canvas.style.cursor = point && point.picture !== null ? "pointer" : "";
    if (!point) return Tip.hide();
    Tip.show(event, point.name, bytesText(point.bytes) + " live", point.ms === null ? "" : new Date(point.ms).toISOString());
  }
}
