
// The page: what is chosen, and the tabs that show it.
class Page {
  constructor() {
    this.heap = null;
    this.tabs = [];
    this.picture = 0;
    this.metricId = null;
    this.isInverted = false;
    this.query = "";
    this.theme = new Theme(() => this.redraw());
    byId("search").addEventListener("input", (event) => this.search(event.target.value));
    byId("metric").addEventListener("change", (event) => this.measure(event.target.value));
    byId("picture").addEventListener("change", (event) => this.choosePicture(Number(event.target.value)));
    byId("invert").addEventListener("click", () => this.invert());
    byId("theme").addEventListener("click", () => this.theme.toggle());
    byId("help").addEventListener("click", () => Keys.show());
    document.addEventListener("keydown", (event) => this.onKey(event));
  }

  start() {
    const text = byId("data").textContent;
    if (text.trim() === "") new LiveSource((data) => this.show(new Heap(data)));
    else this.show(new Heap(JSON.parse(text)));
  }

  show(heap) {
    this.heap = heap;
    if (this.tabs.length === 0) this.makeTabs();
    if (this.picture >= heap.pictures.length) this.picture = 0;
    this.metrics = Metric.all(heap);
    if (!this.metrics.some((metric) => metric.id === this.metricId)) this.metricId = this.metrics[0].id;
    byId("metric").replaceChildren(...this.metrics.map((metric) => element("option", {value: metric.id}, metric.name)));
    byId("metric").value = this.metricId;
    const several = heap.kind !== "diff" && heap.pictures.length > 1;
    byId("picture").hidden = !several;
    byId("picture").replaceChildren(...heap.pictures.map((picture, i) => element("option", {value: String(i)}, picture.label)));
    byId("picture").value = String(this.picture);
    byId("headline").textContent = heap.headline;
    byId("headline").title = heap.headline;
    this.refresh();
  }

  makeTabs() {
    const open = (label) => {
      byId("search").value = this.heap.labelName(label);
      this.search(byId("search").value);
      this.open("flame");
    };
    const picture = () => this.heap.pictures[this.picture];
    const shade = (label) => this.heap.texts[this.heap.frames.module[this.heap.labelFrame[label]]];
    const describe = (label) => [this.heap.place(this.heap.labelFrame[label]), shade(label)];
    const chart = (parent, options) => new FlameChart(parent, {key: (label) => this.heap.labelKey(label), value: (value) => this.metric.text(value), describe, shade, ...options});
    const always = () => true;
    const tab = (id, name, make, show, wanted = always) => {
      const panel = element("section", {class: "tab", role: "tabpanel"});
      const button = element("button", {type: "button", role: "tab", onclick: () => this.open(id)}, name);
      this.tabs.push({id, panel, button, view: make(panel), show, wanted, name, stale: true});
    };
    tab("summary", "Summary", (panel) => new SummaryTab(panel), (view) => view.show(this.heap, picture(), this.counters, this.metric));
    tab("flame", "Flame graph", (panel) => chart(panel, {}), (view) => view.show(this.flameTree(), this.matchingLabel()));
    tab("treemap", "Treemap", (panel) => new Treemap(panel, open), (view) => {
      view.matching = this.matchingLabel();
      view.show(this.heap, this.counters, this.metric);
    });
    tab("stacks", "Stacks", (panel) => new StacksTab(panel, this.heap), (view) => {
      view.matchingFrames = this.matchingFrames;
      view.matchingNodes = this.matchingNodes;
      view.show(this.heap, this.counters);
    });
    tab("leaks", "Leaks", (panel) => new LeaksTab(panel, "leak"), (view) => {
      view.mark(this.matchingFrames, this.matchingNodes);
      view.show(this.heap, ...LeaksTab.fromLeaks(picture()));
    }, () => this.heap.kind !== "diff");
    tab("changes", "Changes", (panel) => new LeaksTab(panel, "change"), (view) => {
      view.mark(this.matchingFrames, this.matchingNodes);
      view.show(this.heap, ...LeaksTab.fromChanges(this.heap.changes));
    }, () => this.heap.kind === "diff");
    tab("errors", "Errors", (panel) => new ErrorsTab(panel), (view) => {
      view.matchingFrames = this.matchingFrames;
      view.show(this.heap, picture());
    });
    tab("sizes", "Sizes", (panel) => new Histogram(panel), (view) => view.show(picture()), () => this.heap.kind !== "diff");
    tab("dominators", "Dominators", (panel) => chart(panel, {key: (label) => this.heap.texts[label], value: bytesText,
      describe: (label, box) => [FlameTree.keptText(picture().dominators, box)], shade: (label) => this.heap.texts[label]}),
      (view) => view.show(FlameTree.fromDominators(this.heap, picture().dominators), null), () => Boolean(picture().dominators));
    tab("timeline", "Timeline", (panel) => new Timeline(panel, (i) => this.choosePicture(i)), (view) => view.show(Timeline.points(this.heap)),
        () => this.heap.kind !== "diff" && Timeline.points(this.heap).length > 1);
    byId("tabs").replaceChildren(...this.tabs.map((one) => one.button));
    byId("content").replaceChildren(...this.tabs.map((one) => one.panel));
    this.current = "summary";
  }

  get metric() {
    return this.metrics.find((metric) => metric.id === this.metricId);
  }

  flameTree() {
    const values = this.metric.values(this.counters);
    return this.isInverted ? new InvertedTree(this.heap, this.counters, values) : FlameTree.fromStacks(this.heap, this.counters, values);
  }

  matchingLabel() {
    return this.matchingLabels ? (label) => this.matchingLabels[label] === 1 : null;
  }

  // After other data, another picture.
  refresh() {
    const picture = this.heap.pictures[this.picture];
    this.counters = new Counters(this.heap, this.picture);
    byId("status").textContent = this.heap.kind === "diff" ? "" : picture.verdict.status;
    byId("status").className = picture.verdict.status;
    this.match();
    this.outdate();
  }

  // Every tab is made anew when it is looked at.
  outdate() {
    for (const tab of this.tabs) {
      tab.stale = true;
      tab.button.hidden = !tab.wanted();
    }
    if (this.tabs.find((tab) => tab.id === this.current).button.hidden) this.current = "summary";
    this.open(this.current);
  }

  open(id) {
    this.current = id;
    Tip.hide();
    for (const tab of this.tabs) {
      const chosen = tab.id === id;
      tab.panel.hidden = !chosen;
      tab.button.setAttribute("aria-selected", String(chosen));
      tab.button.tabIndex = chosen ? 0 : -1;
      if (!chosen || !tab.stale) continue;
      tab.stale = false;
      tab.show(tab.view);
    }
  }

  match() {
    this.matchingFrames = this.heap.matchingFrames(this.query);
    this.matchingNodes = null;
    this.matchingLabels = null;
    byId("matches").textContent = "";
    if (!this.matchingFrames) return;
    this.matchingNodes = this.heap.matchingNodes(this.matchingFrames);
    this.matchingLabels = new Uint8Array(this.heap.labelCount);
    this.matchingFrames.forEach((hit, frame) => {
      if (hit) this.matchingLabels[this.heap.frameLabel[frame]] = 1;
    });
    const values = this.metric.values(this.counters);
    let stacks = 0;
    let value = 0;
    let all = 0;
    for (let i = 0; i < values.length; ++i) {
      all += values[i];
      if (!this.matchingNodes[this.counters.node[i]]) continue;
      ++stacks;
      value += values[i];
    }
    this.found = {stacks, value};
    byId("matches").textContent = nounText(stacks, "stack") + ", " + this.metric.text(value) + " (" + percentText(value, all) + ")";
  }

  search(text) {
    this.query = text.trim();
    this.match();
    this.outdate();
  }

  measure(id) {
    this.metricId = id;
    byId("metric").value = id;
    this.match();
    this.outdate();
  }

  choosePicture(picture) {
    this.picture = picture;
    byId("picture").value = String(picture);
    this.refresh();
  }

  invert() {
    this.isInverted = !this.isInverted;
    byId("invert").setAttribute("aria-pressed", String(this.isInverted));
    this.outdate();
    if (this.current !== "flame") this.open("flame");
  }

  redraw() {
    for (const tab of this.tabs || []) {
      if (tab.view.surface) tab.view.surface.redraw();
    }
  }

  onKey(event) {
    const target = event.target;
    if (event.key === "Escape" && target === byId("search")) {
      target.value = "";
      this.search("");
      target.blur();
      return;
    }
    if (!this.heap || event.ctrlKey || event.altKey || event.metaKey || target.tagName === "INPUT" || target.tagName === "SELECT" || byId("keys").open) return;
    const step = (count, place, by) => (place + by + count) % count;
    const by = event.key === event.key.toUpperCase() ? -1 : 1;
    const shown = this.tabs.filter((tab) => !tab.button.hidden);
    const actions = {
      "/": () => byId("search").focus(),
      "i": () => this.invert(),
      "t": () => this.theme.toggle(),
      "?": () => Keys.show(),
      "m": () => this.measure(this.metrics[step(this.metrics.length, this.metrics.indexOf(this.metric), by)].id),
      "p": () => this.heap.kind !== "diff" && this.choosePicture(step(this.heap.pictures.length, this.picture, by)),
    };
    const action = actions[event.key.toLowerCase()];
    if (action) action();
    else if (event.key >= "1" && event.key <= String(Math.min(9, shown.length))) this.open(shown[Number(event.key) - 1].id);
    else return;
    event.preventDefault();
  }
}

const page = new Page();
page.start();
