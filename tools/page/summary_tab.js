
// The verdict first, then what it rests on.
class SummaryTab {
  // `go` opens a tab by its name.
  constructor(parent, go) {
    this.go = go;
    this.body = element("div", {class: "scroll"});
    parent.append(this.body);
  }

  number(value, name) {
    return element("div", {class: "number"}, element("b", null, value), element("span", null, name));
  }

  show(heap, picture, counters, metric) {
    const totals = picture.totals;
    const page = element("div", {class: "page"}, element("h2", null, heap.kind === "diff" ? heap.headline : picture.verdict.sentence));
    for (const sentence of picture.degraded) page.append(element("div", {class: "warning"}, sentence));
    if (heap.kind === "diff") page.append(this.sides(heap));
    else {
      page.append(element("div", {class: "numbers"},
          this.number(bytesText(totals.live_bytes), "live in " + nounText(totals.live_blocks, "block")),
          this.number(bytesText(totals.peak_bytes), "at most at a time"),
          this.number(bytesText(totals.allocated_bytes), "allocated in " + nounText(totals.allocations, "call")),
          this.number(countText(totals.frees), "frees"),
          this.number(countText(counters.count), "stacks"),
          this.number(countText(picture.errors.length), "heap errors")));
      page.append(element("h2", null, "Live blocks by class"), this.classes(picture));
    }
    page.append(element("h2", null, "Largest stacks, by " + metric.name.toLowerCase()), this.largest(heap, counters, metric));
    if (heap.kind !== "diff") {
      page.append(element("h2", null, "Process"), this.facts([
        ["Program", picture.exe], ["Command line", picture.cmdline.join(" ")], ["Process", String(picture.pid)],
        ["Reachability", picture.verdict.reachability],
        ["Taken", picture.taken_ms ? new Date(picture.taken_ms).toISOString() : "not known"],
      ]));
    }
    this.body.replaceChildren(page);
  }

  facts(rows) {
    return element("table", {class: "plain"}, element("tbody", null, ...rows.map(([name, value]) =>
        element("tr", null, element("th", null, name), element("td", null, value)))));
  }

  sides(heap) {
    const row = (name, text, value) => [name, ...[1, 0].map((side) => text(value(heap.pictures[side].totals))),
      signedText(value(heap.pictures[0].totals) - value(heap.pictures[1].totals), text)];
    const rows = [row("Live bytes", bytesText, (totals) => totals.live_bytes), row("Live blocks", countText, (totals) => totals.live_blocks),
      row("Allocated bytes", bytesText, (totals) => totals.allocated_bytes), row("Allocations", countText, (totals) => totals.allocations)];
    return this.table(["", heap.pictures[1].label, heap.pictures[0].label, "Growth"], rows);
  }

  classes(picture) {
    const meaning = {definite: "lost: nothing leads to it", indirect: "lost with another block", possible: "a pointer leads into it only",
      reachable: "still pointed to", unknown: "nobody knows what leads to it"};
    const rows = Object.entries(picture.classes).filter(([, total]) => total.blocks !== 0)
        .map(([name, total]) => [name + ": " + meaning[name], countText(total.blocks), bytesText(total.bytes)]);
    const sum = (name) => Object.values(picture.classes).reduce((total, one) => total + one[name], 0);
    const accepted = picture.totals.live_blocks - sum("blocks");
    if (accepted > 0) rows.push(["accepted: suppressed, or known from the baseline", countText(accepted), bytesText(picture.totals.live_bytes - sum("bytes"))]);
    return rows.length === 0 ? element("p", null, "No block is live.") : this.table(["Class", "Blocks", "Bytes"], rows);
  }

  largest(heap, counters, metric) {
    const values = metric.values(counters);
    const rows = Array.from(values.keys()).filter((i) => values[i] > 0);
    rows.sort((a, b) => values[b] - values[a]);
    if (rows.length === 0) return element("p", null, "There are none.");
    return this.table(["Stack", metric.name], rows.slice(0, 8).map((row) => [stackLine(heap, counters.node[row]), metric.text(values[row])]));
  }

  // The first column is text, the others numbers.
  table(heads, rows) {
    const cell = (tag, text, i) => element(tag, {class: i === 0 ? "" : "right"}, text);
    return element("table", {class: "plain"}, element("thead", null, element("tr", null, ...heads.map((head, i) => cell("th", head, i)))),
        element("tbody", null, ...rows.map((row) => element("tr", null, ...row.map((text, i) => cell("td", text, i))))));
  }
}
