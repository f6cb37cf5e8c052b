
// Numbers for pairs of numbers: what a Map would do, several times as fast for a million of them.
class PairTable {
  constructor(expected) {
    let size = 16;
    while (size < expected * 2) size *= 2;
    this.mask = size - 1;
    this.left = new Int32Array(size);
    this.right = new Int32Array(size);
    this.value = new Int32Array(size).fill(-1);
  }

  // Where the pair is, or where it would go.
  place(left, right) {
    let at = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) & this.mask;
    while (this.value[at] !== -1 && (this.left[at] !== left || this.right[at] !== right)) at = (at + 1) & this.mask;
    return at;
  }

  // At most as many pairs as were expected.
  set(place, left, right, value) {
    this.left[place] = left;
    this.right[place] = right;
    this.value[place] = value;
  }
}
