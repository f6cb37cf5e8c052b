
// Stacks merged into boxes: one box for each way of functions from the outermost one.
class FlameTree {
  constructor(name, expected = 1024) {
    this.count = 0;
    this.label = new Int32Array(expected);
    this.parent = new Int32Array(expected);
    this.value = new Float64Array(expected);
    this.first = new Int32Array(expected);  // child, -1 for none
    this.next = new Int32Array(expected);   // sibling, -1 for none
    this.sorted = new Map();
    this.name = name;
    this.add(-1, -1);  // box 0 is all
  }

  add(parent, label) {
    const box = this.count++;
    if (box === this.label.length) this.grow();
    this.label[box] = label;
    this.parent[box] = parent;
    this.first[box] = -1;
    this.next[box] = parent < 0 ? -1 : this.first[parent];
    if (parent >= 0) this.first[parent] = box;
    return box;
  }

  grow() {
    for (const name of ["label", "parent", "value", "first", "next"]) {
      const larger = new this[name].constructor(this[name].length * 2);
      larger.set(this[name]);
      this[name] = larger;
    }
  }

  static fromStacks(heap, counters, values) {
    const count = heap.nodeFrame.length;
    const tree = new FlameTree((label) => heap.labelName(label), count + 1);
    const total = new Float64Array(count);
    for (let i = 0; i < values.length; ++i) total[counters.node[i]] += values[i];
    const unknown = total[0];
    for (let i = count - 1; i > 0; --i) total[heap.nodeParent[i]] += total[i];
    tree.value[0] = total[0];
    // Nodes of one label below one box are one box: its nodes are a list, and the boxes are gone through in the order in which they are made.
    const firstNode = new Int32Array(count + 1).fill(-1);
    const nextNode = new Int32Array(count);
    const boxOf = new Int32Array(heap.labelCount);  // of a label, below the box that is looked at
    firstNode[0] = 0;
    nextNode[0] = -1;
    for (let box = 0; box < tree.count; ++box) {
      const older = tree.count;  // boxes from here on are below this one
      for (let node = firstNode[box]; node !== -1; node = nextNode[node]) {
        for (let below = heap.nodeFirst[node]; below !== -1; below = heap.nodeNext[below]) {
          if (total[below] === 0) continue;
          const label = heap.frameLabel[heap.nodeFrame[below]];
          let here = boxOf[label];
          if (here < older || tree.label[here] !== label) {
            here = tree.add(box, label);
            boxOf[label] = here;
          }
          tree.value[here] += total[below];
          nextNode[below] = firstNode[here];
          firstNode[here] = below;
        }
      }
    }
    if (unknown > 0) tree.value[tree.add(0, heap.frameLabel[0])] += unknown;
    return tree;
  }

  // Of a picture's `dominators`: what each block, or group of blocks, keeps alive.
  static fromDominators(heap, dominators) {
    const tree = new FlameTree((label) => heap.texts[label], dominators.parent.length);
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
