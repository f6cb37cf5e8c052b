
// All stacks with their counters.
class StacksTab {
  constructor(parent, heap) {
    const bytes = (name) => (row) => bytesText(this.counters.now[name][row]);
    const count = (name) => (row) => countText(this.counters.now[name][row]);
    const value = (name) => (row) => this.counters.now[name][row];
    const column = (name, title, width, text) => ({name: title, width, right: true, text: text(name), value: value(name)});
    const grown = (name, title, width, text) => ({name: title, width, right: true,
      text: (row) => signedText(this.counters.growth(name, row), text), value: (row) => this.counters.growth(name, row)});
    const diff = heap.kind === "diff";
    const columns = [
      ...(diff ? [grown("live_bytes", "Live growth", 122, bytesText), grown("live_blocks", "Blocks", 80, countText)] : []),
      column("live_bytes", diff ? "Live now" : "Live bytes", 100, bytes),
      ...(diff ? [grown("allocated_bytes", "Allocated", 110, bytesText)] :
          [column("live_blocks", "Blocks", 84, count), column("allocated_bytes", "Allocated", 100, bytes), column("allocations", "Allocations", 104, count)]),
      {name: "By", width: 84, text: (row) => this.heap.doors[this.counters.door[row]], value: (row) => this.heap.doors[this.counters.door[row]]},
      {name: "Stack", width: 0, text: (row) => stackLine(this.heap, this.counters.node[row]), value: (row) => this.heap.functionName(this.heap.nodeFrame[this.counters.node[row]])},
    ];
    this.note = element("div", {class: "note"});
    this.detail = element("div", {class: "detail"});
    const split = element("div", {class: "split"});
    parent.append(this.note, split);
    this.table = new Table(split, columns, (row) => this.tell(row));
    this.table.sortColumn = 0;
    split.append(this.detail);
  }

  // Keeps what was chosen, also if its row has another number now.
  show(heap, counters) {
    const chosen = this.table.selected;
    const key = chosen >= 0 ? this.key(chosen) : null;
    this.heap = heap;
    this.counters = counters;
    this.all = Array.from({length: counters.count}, (_, i) => i);
    this.table.selected = key === null ? -1 : this.find(key);
    this.mark(this.matchingFrames, this.matchingNodes);
  }

  key(row) {
    return {stack: this.heap.stackKey(this.counters.node[row]), door: this.heap.doors[this.counters.door[row]],
      leaf: this.heap.functionName(this.heap.nodeFrame[this.counters.node[row]])};
  }

  find(key) {
    return this.all.findIndex((row) => this.heap.functionName(this.heap.nodeFrame[this.counters.node[row]]) === key.leaf &&
        this.heap.doors[this.counters.door[row]] === key.door && this.heap.stackKey(this.counters.node[row]) === key.stack);
  }

  mark(matchingFrames, matchingNodes) {
    this.matchingFrames = matchingFrames;
    this.matchingNodes = matchingNodes;
    const rows = matchingNodes ? this.all.filter((row) => matchingNodes[this.counters.node[row]]) : this.all.slice();
    this.note.textContent = matchingNodes ? nounText(rows.length, "stack") + " of " + countText(this.all.length) + " match" :
        nounText(rows.length, "stack");
    this.table.show(rows);
    this.tell(this.table.selected);
  }

  tell(row) {
    if (row < 0) {
      this.detail.replaceChildren(element("div", {class: "empty"}, "Choose a stack to see its frames."));
      return;
    }
    const now = (name) => this.counters.now[name][row];
    const lines = [
      nounText(now("live_blocks"), "live block") + ", " + bytesText(now("live_bytes")),
      nounText(now("allocations"), "allocation") + ", " + bytesText(now("allocated_bytes")) + "; " + nounText(now("frees"), "free"),
    ];
    if (this.counters.before) {
      lines.unshift(signedText(this.counters.growth("live_bytes", row), bytesText) + " live, " +
          signedText(this.counters.growth("live_blocks", row), countText) + " blocks");
    }
    const door = this.heap.doors[this.counters.door[row]];
    this.detail.replaceChildren(element("h3", null, lines[0]), ...lines.slice(1).map((line) => element("div", null, line)),
        element("div", null, door === "" ? "" : "made by " + door), stackView(this.heap, this.counters.node[row], this.matchingFrames));
  }
}
