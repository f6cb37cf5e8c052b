
// The frames of a stack, innermost first.
const kMostFramesShown = 1000;

function stackView(heap, node, matching) {
  const frames = heap.stack(node);
  const list = element("ol", {class: "stack"});
  for (const frame of frames.slice(0, kMostFramesShown)) {
    const place = heap.place(frame);
    const module = heap.texts[heap.frames.module[frame]];
    list.append(element("li", {class: matching && matching[frame] ? "hit" : ""},
        element("b", null, heap.functionName(frame) + (heap.frames.inlined[frame] ? " (inlined)" : "")),
        element("span", null, place !== "" ? place : module !== "" ? module : "no module")));
  }
  if (frames.length > kMostFramesShown) list.append(element("li", null, nounText(frames.length - kMostFramesShown, "more frame")));
  if (frames.length === 0) list.append(element("li", null, "The stack is not known."));
  return list;
}

// In one line: the function that allocated, and who called it.
function stackLine(heap, node) {
  const frames = heap.stack(node).slice(0, 3);
  return frames.length === 0 ? "(stack not known)" : frames.map((frame) => heap.functionName(frame)).join("  \u2190  ");
}
