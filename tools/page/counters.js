
// The counters of all stacks of one picture; of a diff those of both, joined by stack and door.
const kColumns = ["live_bytes", "live_blocks", "peak_bytes", "peak_blocks", "allocated_bytes", "allocations", "frees"];

class Counters {
  constructor(heap, picture) {
    this.heap = heap;
    this.now = {};
    this.before = null;
    if (heap.kind === "diff") {
      this.join(heap.pictures[0].stacks, heap.pictures[1].stacks);
      return;
    }
    const stacks = heap.pictures[picture].stacks;
    this.node = stacks.node;
    this.door = stacks.door;
    for (const name of kColumns) this.now[name] = Float64Array.from(stacks[name]);
  }

  join(now, before) {
    this.node = [];
    this.door = [];
    const row = new Map();
    const key = (side, i) => side.node[i] * 16 + side.door[i];
    for (const side of [now, before]) {
      for (let i = 0; i < side.node.length; ++i) {
        if (row.has(key(side, i))) continue;
        row.set(key(side, i), this.node.length);
        this.node.push(side.node[i]);
        this.door.push(side.door[i]);
      }
    }
    const spread = (side) => {
      const columns = {};
      for (const name of kColumns) {
        columns[name] = new Float64Array(this.node.length);
        for (let i = 0; i < side.node.length; ++i) columns[name][row.get(key(side, i))] += side[name][i];
      }
      return columns;
    };
    this.now = spread(now);
    this.before = spread(before);
  }

  get count() {
    return this.node.length;
  }

  growth(column, row) {
    return this.now[column][row] - this.before[column][row];
  }
}
