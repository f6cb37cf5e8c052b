
// A table of any length: only the rows in view are elements.
const kRowHeight = 26;

class Table {
  // columns: [{name, width (px, or 0 for the rest), right, text(row), value(row) to sort by}]; rows are numbers.
  constructor(parent, columns, choose) {
    this.columns = columns;
    this.chooseRow = choose;
    this.rows = [];
    this.selected = -1;  // a row, not its place
    this.sortColumn = -1;
    this.descending = true;
    this.head = element("div", {class: "head"});
    this.spacer = element("div", {class: "spacer"});
    this.body = element("div", {class: "rows", tabindex: "0", onscroll: () => this.draw(), onkeydown: (event) => this.onKey(event)}, this.spacer);
    this.element = element("div", {class: "table"}, this.head, this.body);
    parent.append(this.element);
    new ResizeObserver(() => this.draw()).observe(this.body);
    columns.forEach((column, i) => {
      this.head.append(element("button", {type: "button", class: this.cellClass(column), onclick: () => this.sortBy(i)}, column.name));
      if (column.width) this.head.lastChild.style.setProperty("--width", column.width + "px");
    });
  }

  cellClass(column) {
    return "cell" + (column.width ? "" : " wide") + (column.right ? " right" : "");
  }

  show(rows) {
    this.rows = rows;
    this.sort();
  }

  sortBy(column) {
    this.descending = this.sortColumn === column ? !this.descending : Boolean(this.columns[column].right);
    this.sortColumn = column;
    this.sort();
  }

  sort() {
    if (this.sortColumn >= 0) {
      const value = this.columns[this.sortColumn].value;
      const sign = this.descending ? -1 : 1;
      const keys = [];
      for (const row of this.rows) keys[row] = value(row);
      this.rows.sort((a, b) => {
        const left = keys[a];
        const right = keys[b];
        return left < right ? -sign : left > right ? sign : a - b;
      });
    }
    [...this.head.children].forEach((button, i) => {
      button.textContent = this.columns[i].name + (i === this.sortColumn ? (this.descending ? " \u25be" : " \u25b4") : "");
      button.setAttribute("aria-sort", i !== this.sortColumn ? "none" : this.descending ? "descending" : "ascending");
    });
    this.draw();
  }

  draw() {
    this.spacer.style.height = this.rows.length * kRowHeight + "px";
    this.head.style.paddingRight = this.body.offsetWidth - this.body.clientWidth + "px";
    const first = Math.max(0, Math.floor(this.body.scrollTop / kRowHeight) - 5);
    const last = Math.min(this.rows.length, Math.ceil((this.body.scrollTop + this.body.clientHeight) / kRowHeight) + 5);
    const shown = [];
    for (let i = first; i < last; ++i) shown.push(this.rowElement(i));
    this.spacer.replaceChildren(...shown);
  }

  rowElement(place) {
    const row = this.rows[place];
    const cells = this.columns.map((column) => {
      const text = column.text(row);
      const cell = element("div", {class: this.cellClass(column), title: column.width ? null : text}, text);
      if (column.width) cell.style.setProperty("--width", column.width + "px");
      return cell;
    });
    const made = element("div", {class: "row" + (row === this.selected ? " selected" : ""), onclick: () => this.choose(place)}, ...cells);
    made.style.top = place * kRowHeight + "px";
    return made;
  }

  choose(place) {
    this.selected = this.rows[place];
    const top = place * kRowHeight;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    if (top + kRowHeight > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + kRowHeight - this.body.clientHeight;
    this.draw();
    this.chooseRow(this.selected);
  }

  onKey(event) {
    const place = this.rows.indexOf(this.selected);
    const page = Math.max(1, Math.floor(this.body.clientHeight / kRowHeight) - 1);
    const to = {ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page, Home: 0, End: this.rows.length - 1}[event.key];
    if (to === undefined || this.rows.length === 0) return;
    event.preventDefault();
    this.choose(Math.max(0, Math.min(this.rows.length - 1, to)));
  }
}
