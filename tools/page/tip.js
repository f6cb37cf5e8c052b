
// The small text beside the pointer.
class Tip {
  static show(event, title, ...lines) {
    const tip = byId("tip");
    tip.replaceChildren(element("b", null, title), ...lines.filter((line) => line !== "").map((line) => element("span", null, line)));
    tip.hidden = false;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const below = event.clientY + 18;
    const top = below + tip.offsetHeight > innerHeight - 8 ? event.clientY - tip.offsetHeight - 10 : below;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, top) + "px";
  }

  static hide() {
    byId("tip").hidden = true;
  }
}
