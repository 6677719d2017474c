import { createColumnarBuilder, type ColumnarBuilder, type ColumnarResult } from './columnar.ts';

/** Makes the row object of `values[at] …`, one property a column, in column order. */
export type RowBuilder = (values: readonly unknown[], at: number) => Record<string, unknown>;

/**
 * Compiles a row constructor for these columns: an object literal gives every row of a statement the same
 * hidden class, which neither a loop over the names nor the driver's own objects reach (they are
 * dictionaries). Names are data, so they enter the code only as JSON string literals, and as computed keys: a
 * plain `"__proto__": …` would set the prototype instead of making a property.
 */
function createRowBuilder(columns: readonly string[]): RowBuilder {
  const properties = columns.map((name, index) => `[${JSON.stringify(name)}]: values[at + ${index}]`);
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- of JSON literals alone, see above
    return new Function('values', 'at', `return { ${properties.join(', ')} };`) as RowBuilder;
  } catch {
    // Node started with --disallow-code-generation-from-strings: slower, and right.
    return (values, at) => Object.fromEntries(columns.map((name, index) => [name, values[at + index]]));
  }
}

/** The first name that two columns share; a row object could only keep one of them. */
export function findDuplicateColumn(columns: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (const name of columns) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

/** Shapes kept; results of one statement share theirs, on whatever connection they came. */
const MAX_SHAPES = 1_000;
/** Combinations of kinds kept for one shape. */
const MAX_KINDS = 64;

/** How rows of certain columns are made, from every encoding. */
export class RowShape {
  readonly build: RowBuilder;
  readonly #columns: readonly string[];
  readonly #columnar = new Map<string, ColumnarBuilder>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
    this.build = createRowBuilder(columns);
  }

  buildColumnar(result: ColumnarResult): Record<string, unknown>[] {
    let builder = this.#columnar.get(result.kinds);
    if (builder === undefined) {
      if (this.#columnar.size >= MAX_KINDS) this.#columnar.clear();
      builder = createColumnarBuilder(this.#columns, result.kinds);
      this.#columnar.set(result.kinds, builder);
    }
    return builder(result);
  }
}

/** Row shapes by their columns, so that rows of one shape are of one hidden class wherever they came from. */
export class RowShapes {
  readonly #shapes = new Map<string, RowShape>();

  get(columns: readonly string[]): RowShape {
    const key = JSON.stringify(columns);
    const known = this.#shapes.get(key);
    if (known !== undefined) return known;
    if (this.#shapes.size >= MAX_SHAPES) this.#shapes.delete(this.#shapes.keys().next().value!);
    const shape = new RowShape(columns);
    this.#shapes.set(key, shape);
    return shape;
  }
}
