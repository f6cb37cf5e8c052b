
// Stacks merged into boxes: one box for each way of functions from the outermost one.
class FlameTree {
  constructor(name) {
    this.label = [-1];  // box 0 is all
    this.parent = [-1];
    this.value = [0];
    this.first = [-1];  // child
    this.next = [-1];   // sibling
    this.sorted = new Map();
    this.name = name;
  }

  add(parent, label) {
    const box = this.label.length;
    this.label.push(label);
    this.parent.push(parent);
    this.value.push(0);
    this.first.push(-1);
    this.next.push(this.first[parent]);
    this.first[parent] = box;
    return box;
  }

  static fromStacks(heap, counters, values) {
    const tree = new FlameTree((label) => heap.labelName(label));
    const count = heap.nodeFrame.length;
    const total = new Float64Array(count);
    for (let i = 0; i < values.length; ++i) total[counters.node[i]] += values[i];
    const unknown = total[0];
    for (let i = count - 1; i > 0; --i) total[heap.nodeParent[i]] += total[i];
    tree.value[0] = total[0];
    const box = new Int32Array(count);
    const known = new PairTable(count);
    for (let i = 1; i < count; ++i) {
      if (total[i] === 0) continue;
      const parent = box[heap.nodeParent[i]];
      const label = heap.frameLabel[heap.nodeFrame[i]];
      const place = known.place(parent, label);
      let here = known.value[place];
      if (here === -1) {
        here = tree.add(parent, label);
        known.set(place, parent, label, here);
      }
      box[i] = here;
      tree.value[here] += total[i];
    }
    if (unknown > 0) tree.value[tree.add(0, heap.frameLabel[0])] += unknown;
    return tree;
  }

  // Of a picture's `dominators`: what each block, or group of blocks, keeps alive.
  static fromDominators(heap, dominators) {
    const tree = new FlameTree((label) => heap.texts[label]);
    for (let i = 1; i < dominators.parent.length; ++i) {
      tree.add(i - dominators.parent[i], dominators.label[i]);
      tree.value[i] = dominators.bytes[i];
    }
    tree.value[0] = dominators.bytes[0];
    return tree;
  }

  // "100 blocks, kept by 7 alike"
  static keptText(dominators, box) {
    return nounText(dominators.blocks[box], "block") + (dominators.nodes[box] > 1 ? ", kept by " + countText(dominators.nodes[box]) + " alike" : "");
  }

  // Largest first.
  children(box) {
    let list = this.sorted.get(box);
    if (list === undefined) {
      list = [];
      for (let child = this.first[box]; child !== -1; child = this.next[child]) list.push(child);
      list.sort((a, b) => this.value[b] - this.value[a] || this.label[a] - this.label[b]);
      this.sorted.set(box, list);
    }
    return list;
  }

  path(box) {
    const labels = [];
    for (; box > 0; box = this.parent[box]) labels.push(this.label[box]);
    return labels.reverse();
  }
}
