
// The document of page_data.h, unpacked into arrays of numbers.
class Heap {
  constructor(data) {
    this.kind = data.kind;
    this.headline = data.headline;
    this.pictures = data.pictures;
    this.changes = data.changes || [];
    this.doors = data.doors;
    this.texts = data.texts;
    this.frames = data.frames;
    const count = data.nodes.frame.length;
    this.nodeFrame = Int32Array.from(data.nodes.frame);
    this.nodeParent = new Int32Array(count);
    for (let i = 0; i < count; ++i) this.nodeParent[i] = i - data.nodes.parent[i];
    this.nodeFirst = new Int32Array(count).fill(-1);  // of the nodes below it
    this.nodeNext = new Int32Array(count).fill(-1);   // of those below the same
    for (let i = count - 1; i > 0; --i) {
      this.nodeNext[i] = this.nodeFirst[this.nodeParent[i]];
      this.nodeFirst[this.nodeParent[i]] = i;
    }
    this.labelFrames();
  }

  // A label is a function of a module: what is one box of a graph, whatever the line of the call.
  labelFrames() {
    const count = this.frames.function.length;
    this.frameLabel = new Int32Array(count);
    this.labelFrame = [];
    const known = new Map();
    for (let i = 0; i < count; ++i) {
      const name = this.frames.function[i] === 0 ? this.frames.offset[i] : this.frames.function[i];
      const key = this.frames.module[i] + " " + name;
      if (!known.has(key)) {
        known.set(key, this.labelFrame.length);
        this.labelFrame.push(i);
      }
      this.frameLabel[i] = known.get(key);
    }
  }

  get labelCount() {
    return this.labelFrame.length;
  }

  moduleName(frame) {
    const path = this.texts[this.frames.module[frame]];
    return path.slice(path.lastIndexOf("/") + 1);
  }

  functionName(frame) {
    if (frame === 0) return "(stack not known)";
    const name = this.texts[this.frames.function[frame]];
    return name !== "" ? name : (this.moduleName(frame) || "?") + "+" + this.frames.offset[frame];
  }

  // "dir/file.cc:12", or what there is instead.
  place(frame) {
    const file = this.texts[this.frames.file[frame]];
    if (file === "") return "";
    return this.frames.line[frame] > 0 ? file + ":" + this.frames.line[frame] : file;
  }

  labelName(label) {
    return this.functionName(this.labelFrame[label]);
  }

  // The same for the same function after a reload.
  labelKey(label) {
    const frame = this.labelFrame[label];
    return this.texts[this.frames.module[frame]] + "\n" + this.functionName(frame);
  }

  // Frames of a stack, innermost first.
  stack(node) {
    const frames = [];
    for (; node !== 0; node = this.nodeParent[node]) frames.push(this.nodeFrame[node]);
    return frames;
  }

  stackKey(node) {
    return this.stack(node).map((frame) => this.labelKey(this.frameLabel[frame])).join("\n");
  }

  // Which frames contain the text, in function, module or file; null for no text.
  matchingFrames(text) {
    if (text === "") return null;
    const wanted = text.toLowerCase();
    const hits = this.texts.map((one) => one.toLowerCase().includes(wanted));
    const count = this.frames.function.length;
    const matching = new Uint8Array(count);
    for (let i = 1; i < count; ++i) {
      const frames = this.frames;
      matching[i] = hits[frames.function[i]] || hits[frames.module[i]] || hits[frames.file[i]] ||
          (frames.function[i] === 0 && this.functionName(i).toLowerCase().includes(wanted)) ? 1 : 0;
    }
    return matching;
  }

  // Which nodes have such a frame on the way to the root, themselves included.
  matchingNodes(matchingFrames) {
    const matching = new Uint8Array(this.nodeFrame.length);
    for (let i = 1; i < matching.length; ++i) {
      matching[i] = matching[this.nodeParent[i]] || matchingFrames[this.nodeFrame[i]] ? 1 : 0;
    }
    return matching;
  }
}
