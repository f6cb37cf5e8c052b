
// What the graphs measure. Values of a stack are never negative: what grew and what shrank are two metrics.
const kMetricNames = {
  live_bytes: "Live bytes", live_blocks: "Live blocks", peak_bytes: "Bytes at the peak", allocated_bytes: "Allocated bytes", allocations: "Allocations",
};

class Metric {
  constructor(column, direction) {
    this.column = column;
    this.direction = direction;
    this.id = (direction > 0 ? "grown_" : direction < 0 ? "shrunk_" : "") + column;
    this.name = direction === 0 ? kMetricNames[column] : kMetricNames[column] + (direction > 0 ? ": growth" : ": shrinkage");
    this.text = column.endsWith("bytes") ? bytesText : countText;
  }

  static all(heap) {
    const columns = Object.keys(kMetricNames);
    if (heap.kind !== "diff") return columns.map((column) => new Metric(column, 0));
    return [1, -1, 0].flatMap((direction) => columns.map((column) => new Metric(column, direction)));
  }

  values(counters) {
    if (this.direction === 0) return counters.now[this.column];
    const values = new Float64Array(counters.count);
    for (let i = 0; i < values.length; ++i) values[i] = Math.max(0, this.direction * counters.growth(this.column, i));
    return values;
  }
}
