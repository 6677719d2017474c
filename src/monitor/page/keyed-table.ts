import { element, scrollable, setText } from './dom.ts';
import { nextOrder, sorted, type Order } from './rows.ts';

/** One column of figures. */
export interface Column<Row> {
  readonly title: string;
  /** What it means, shown when it is pointed at. */
  readonly about?: string;
  readonly text: (row: Row) => string;
  /** Sorts by it. */
  readonly order: (row: Row) => number;
  readonly level?: (row: Row) => '' | 'warn' | 'bad';
  /** Left out where there is little room. */
  readonly isWide?: boolean;
}

export interface TableParts<Row> {
  readonly caption: string;
  /** Of the first column, which says what the row is. */
  readonly heading: string;
  readonly key: (row: Row) => string;
  /** What the row is. Made once for each key. */
  readonly head: (row: Row) => Node;
  readonly columns: readonly Column<Row>[];
  readonly order: Order;
  /** Shown where there is no row. */
  readonly empty: string;
  /** Shown below a row that is opened; told of the row's later figures. */
  readonly detail?: (row: Row) => Detail<Row>;
}

export interface Detail<Row> {
  readonly node: Node;
  update(row: Row): void;
}

interface Line<Row> {
  readonly element: HTMLTableRowElement;
  readonly cells: readonly HTMLTableCellElement[];
  opened: { readonly row: HTMLTableRowElement; readonly detail: Detail<Row> } | undefined;
}

/** A table whose rows stay the same elements while their figures change: focus and what is opened survive. */
export class KeyedTable<Row> {
  readonly node: HTMLElement;
  readonly #parts: TableParts<Row>;
  readonly #body = element('tbody');
  readonly #scroller: HTMLElement;
  readonly #none: HTMLElement;
  readonly #lines = new Map<string, Line<Row>>();
  readonly #headers: HTMLTableCellElement[];
  #order: Order;
  #rows: readonly Row[] = [];

  constructor(parts: TableParts<Row>) {
    this.#parts = parts;
    this.#order = parts.order;
    this.#headers = parts.columns.map((column, index) => this.#header(column, index));
    const first = element('th', { scope: 'col', class: 'text' }, parts.heading);
    const head = element('thead', {}, element('tr', {}, first, ...this.#headers));
    const table = element('table', {}, element('caption', {}, parts.caption), head, this.#body);
    this.#scroller = scrollable(parts.caption, table);
    this.#none = element('p', { class: 'empty' }, parts.empty);
    this.node = element('div', {}, this.#none, this.#scroller);
    this.#scroller.hidden = true;
    this.#showOrder();
  }

  update(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#none.hidden = rows.length > 0;
    this.#scroller.hidden = rows.length === 0;
    const ordered = this.#ordered();
    const keys = new Set(ordered.map((row) => this.#parts.key(row)));
    for (const [key, line] of this.#lines) if (!keys.has(key)) this.#remove(key, line);
    const lines = ordered.map((row) => this.#line(row));
    // Rows do not move while they are being pointed at or focused.
    if (!this.#isInUse()) this.#arrange(lines);
  }

  #ordered(): readonly Row[] {
    const order = this.#parts.columns[this.#order.column]?.order;
    return order === undefined ? this.#rows : sorted(this.#rows, order, this.#order);
  }

  #line(row: Row): Line<Row> {
    const key = this.#parts.key(row);
    const line = this.#lines.get(key) ?? this.#create(key, row);
    for (const [index, column] of this.#parts.columns.entries()) {
      const cell = line.cells[index]!;
      setText(cell, column.text(row));
      for (const level of ['warn', 'bad']) cell.classList.toggle(level, column.level?.(row) === level);
    }
    line.opened?.detail.update(row);
    return line;
  }

  #create(key: string, row: Row): Line<Row> {
    const cells = this.#parts.columns.map((column) => element('td', { class: classOf(column) }));
    const head = element('th', { scope: 'row' });
    const made = element('tr', {}, head, ...cells);
    const line: Line<Row> = { element: made, cells, opened: undefined };
    head.append(this.#parts.detail === undefined ? this.#parts.head(row) : this.#opener(key, row, line));
    this.#lines.set(key, line);
    this.#body.append(made);
    return line;
  }

  #opener(key: string, row: Row, line: Line<Row>): HTMLButtonElement {
    const opener = element('button', { type: 'button', class: 'opener', 'aria-expanded': 'false' });
    opener.append(this.#parts.head(row));
    opener.addEventListener('click', () => {
      this.#toggle(key, line);
      opener.setAttribute('aria-expanded', String(line.opened !== undefined));
    });
    return opener;
  }

  #toggle(key: string, line: Line<Row>): void {
    if (line.opened !== undefined) {
      line.opened.row.remove();
      line.opened = undefined;
      return;
    }
    const row = this.#rows.find((one) => this.#parts.key(one) === key);
    if (row === undefined || this.#parts.detail === undefined) return;
    const detail = this.#parts.detail(row);
    const cell = element('td', { colspan: String(this.#parts.columns.length + 1) }, detail.node);
    line.opened = { row: element('tr', { class: 'detail' }, cell), detail };
    line.element.after(line.opened.row);
  }

  #remove(key: string, line: Line<Row>): void {
    line.element.remove();
    line.opened?.row.remove();
    this.#lines.delete(key);
  }

  #isInUse(): boolean {
    return this.#body.contains(document.activeElement) || this.#body.matches(':hover');
  }

  #arrange(lines: readonly Line<Row>[]): void {
    let next: ChildNode | null = this.#body.firstChild;
    for (const { element: row, opened } of lines) {
      for (const one of opened === undefined ? [row] : [row, opened.row]) {
        if (one === next) next = next.nextSibling;
        else this.#body.insertBefore(one, next);
      }
    }
  }

  #header(column: Column<Row>, index: number): HTMLTableCellElement {
    const cell = element('th', { scope: 'col', class: classOf(column) });
    const press = element('button', { type: 'button' }, column.title);
    // On the button, where a screen reader finds it too.
    if (column.about !== undefined) press.title = column.about;
    press.addEventListener('click', () => this.#sortBy(index));
    cell.append(press);
    return cell;
  }

  #sortBy(column: number): void {
    this.#order = nextOrder(this.#order, column);
    this.#showOrder();
    this.#arrange(this.#ordered().map((row) => this.#line(row)));
  }

  #showOrder(): void {
    for (const [index, header] of this.#headers.entries()) {
      header.setAttribute('aria-sort', index === this.#order.column ? this.#order.direction : 'none');
    }
  }
}

function classOf({ isWide = false }: Pick<Column<never>, 'isWide'>): string {
  return isWide ? 'wide' : '';
}
