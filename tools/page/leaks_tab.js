
// Live blocks by class; of a diff its changes. Both are lists of stacks with two numbers and a kind.
class LeaksTab {
  constructor(parent, noun) {
    this.noun = noun;
    this.kind = null;  // null is all of them
    this.chips = element("div", {class: "chips"});
    this.detail = element("div", {class: "detail"});
    const split = element("div", {class: "split"});
    parent.append(this.chips, split);
    const item = (row) => this.items[row];
    this.table = new Table(split, [
      {name: "Bytes", width: 110, right: true, text: (row) => item(row).bytesText, value: (row) => item(row).bytes},
      {name: "Blocks", width: 90, right: true, text: (row) => item(row).blocksText, value: (row) => item(row).blocks},
      {name: noun === "change" ? "Change" : "Class", width: 112, text: (row) => item(row).kind, value: (row) => item(row).kind},
      {name: "Stack", width: 0, text: (row) => stackLine(this.heap, item(row).node), value: (row) => this.heap.functionName(this.heap.nodeFrame[item(row).node])},
    ], (row) => this.tell(row));
    split.append(this.detail);
  }

  // items: [{id, kind, bytes, blocks, bytesText, blocksText, node, notes[]}]; kinds: [[name, text]] in their order.
  show(heap, items, kinds, omitted = 0) {
    this.omitted = omitted;
    const chosen = this.table.selected >= 0 ? this.items[this.table.selected] : null;
    this.heap = heap;
    this.items = items;
    this.kinds = kinds;
    this.table.selected = chosen ? items.findIndex((one) => one.id === chosen.id && one.kind === chosen.kind) : -1;
    this.refresh();
  }

  mark(matchingFrames, matchingNodes) {
    this.matchingFrames = matchingFrames;
    this.matchingNodes = matchingNodes;
    if (this.items) this.refresh();
  }

  refresh() {
    const chip = (name, text) => element("button", {type: "button", class: "chip", "aria-pressed": String(this.kind === name),
      onclick: () => {
        this.kind = name;
        this.refresh();
      }}, text);
    this.chips.replaceChildren(chip(null, "all"), ...this.kinds.map(([name, text]) => chip(name, name + ": " + text)),
        this.omitted === 0 ? "" : element("span", {class: "faint"}, "and " + nounText(this.omitted, "smaller one") + ", in Stacks only"));
    const rows = [];
    this.items.forEach((item, i) => {
      if ((this.kind === null || item.kind === this.kind) && (!this.matchingNodes || this.matchingNodes[item.node])) rows.push(i);
    });
    this.table.show(rows);
    this.tell(this.table.selected);
  }

  tell(row) {
    if (row < 0) {
      this.detail.replaceChildren(element("div", {class: "empty"}, this.items.length === 0 ? "There is no " + this.noun + "." :
          "Choose a " + this.noun + " to see its stack."));
      return;
    }
    const item = this.items[row];
    this.detail.replaceChildren(element("h3", null, item.kind + ": " + item.bytesText + " in " + item.blocksText + " blocks"),
        ...item.notes.filter((note) => note !== "").map((note) => element("div", null, note)), stackView(this.heap, item.node, this.matchingFrames));
  }

  static fromLeaks(picture) {
    const accepted = (leak) => leak.suppressed_by !== "" || leak.baseline === "known";
    const items = picture.leaks.map((leak) => ({
      id: leak.id, kind: accepted(leak) ? "accepted" : leak.class, bytes: leak.bytes, blocks: leak.blocks, bytesText: bytesText(leak.bytes), blocksText: countText(leak.blocks),
      node: leak.node,
      notes: ["id " + leak.id, accepted(leak) ? leak.class : "", leak.door === "" ? "" : "made by " + leak.door, leak.root === "" ? "" : "held by " + leak.root,
        leak.mark === null ? "" : "oldest block from mark " + leak.mark, leak.suppressed_by === "" ? "" : "suppressed by " + leak.suppressed_by,
        leak.baseline === "" ? "" : "to the baseline: " + leak.baseline, leak.truncated ? "Outer frames are missing." : ""],
    }));
    const sum = (list, name) => list.reduce((total, item) => total + item[name], 0);
    const kinds = ["definite", "indirect", "possible", "reachable", "unknown", "accepted"].map((kind) => [kind, items.filter((item) => item.kind === kind)])
        .filter(([, list]) => list.length !== 0)
        .map(([kind, list]) => [kind, nounText(sum(list, "blocks"), "block") + ", " + bytesText(sum(list, "bytes"))]);
    return [items, kinds, picture.leaks_omitted];
  }

  static fromChanges(changes) {
    const items = changes.map((change) => {
      const bytes = change.now.bytes - change.before.bytes;
      const blocks = change.now.blocks - change.before.blocks;
      return {id: change.id, kind: change.change, bytes, blocks, bytesText: signedText(bytes, bytesText), blocksText: signedText(blocks, countText),
        node: change.node, notes: ["id " + change.id + ", " + change.class,
          "before " + nounText(change.before.blocks, "block") + ", " + bytesText(change.before.bytes),
          "now " + nounText(change.now.blocks, "block") + ", " + bytesText(change.now.bytes)]};
    });
    const kinds = ["new", "grown", "shrunk", "gone", "same"].map((kind) => [kind, items.filter((item) => item.kind === kind).length])
        .filter(([, count]) => count !== 0).map(([kind, count]) => [kind, countText(count)]);
    return [items, kinds];
  }
}
