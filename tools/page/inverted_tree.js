
// The same from the innermost function on. All of it would be far larger than the other tree, so boxes are made when
// they are looked at.
class InvertedTree extends FlameTree {
  constructor(heap, counters, values) {
    super((label) => heap.labelName(label));
    this.heap = heap;
    const self = new Float64Array(heap.nodeFrame.length);
    for (let i = 0; i < values.length; ++i) self[counters.node[i]] += values[i];
    // Of each box: where its stacks end, and which of their frames comes next.
    this.leaves = [[]];
    this.nodes = [[]];
    this.self = self;
    for (let node = 0; node < self.length; ++node) {
      if (self[node] === 0) continue;
      this.leaves[0].push(node);
      this.nodes[0].push(node);
      this.value[0] += self[node];
    }
  }

  children(box) {
    if (!this.sorted.has(box)) this.expand(box);
    return super.children(box);
  }

  expand(box) {
    const made = new Map();
    this.leaves[box].forEach((leaf, i) => {
      const node = this.nodes[box][i];
      if (node === -1) return;
      const label = this.heap.frameLabel[this.heap.nodeFrame[node]];
      if (!made.has(label)) {
        made.set(label, this.add(box, label));
        this.leaves.push([]);
        this.nodes.push([]);
      }
      const child = made.get(label);
      const caller = node === 0 ? 0 : this.heap.nodeParent[node];
      this.leaves[child].push(leaf);
      this.nodes[child].push(caller === 0 ? -1 : caller);
      this.value[child] += this.self[leaf];
    });
  }
}
