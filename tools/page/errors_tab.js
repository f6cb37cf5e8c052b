
// Heap errors with their stacks.
const kMostErrorsShown = 300;

class ErrorsTab {
  constructor(parent) {
    this.body = element("div", {class: "scroll"});
    parent.append(this.body);
  }

  show(heap, picture) {
    const open = new Set([...this.body.querySelectorAll("details[open]")].map((one) => one.dataset.headline));
    const page = element("div", {class: "page"});
    picture.errors.slice(0, kMostErrorsShown).forEach((error, i) => {
      const details = element("details", {class: "error"},
          element("summary", null, error.headline + (error.count > 1 ? " (" + countText(error.count) + " times)" : "")));
      details.dataset.headline = error.headline;
      details.open = i === 0 || open.has(error.headline);
      const columns = element("div", {class: "columns"});
      for (const stack of error.stacks) columns.append(element("div", null, element("b", null, stack.name), stackView(heap, stack.node, this.matchingFrames)));
      details.append(columns);
      page.append(details);
    });
    if (picture.errors.length > kMostErrorsShown) page.append(element("p", null, "And " + countText(picture.errors.length - kMostErrorsShown) + " more."));
    if (picture.errors.length === 0) page.append(element("p", null, "No heap error was met."));
    this.body.replaceChildren(page);
  }
}
