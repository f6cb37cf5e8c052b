
// The overlay that says which keys there are.
const kKeys = [
  ["/", "search"], ["1 \u2026 9", "the tabs"], ["i", "invert the graph: innermost functions first"], ["m, M", "next, previous metric"],
  ["p, P", "next, previous process or snapshot"], ["\u2190 \u2191 \u2192 \u2193", "walk in the graph or the table"], ["Enter", "zoom to the chosen box"],
  ["Esc", "whole graph; in the search field: no search"], ["t", "light or dark"], ["?", "this list"],
];

class Keys {
  static show() {
    const dialog = byId("keys");
    dialog.replaceChildren(element("h2", null, "Keys"),
        element("table", null, ...kKeys.map(([key, meaning]) => element("tr", null, element("td", null, element("kbd", null, key)), element("td", null, meaning)))),
        element("p", null, "A click on a box makes it as wide as the page, one on a module of the treemap opens it, one on a head of a table sorts by it."),
        element("button", {type: "button", onclick: () => dialog.close()}, "Close"));
    if (!dialog.open) dialog.showModal();
  }
}
