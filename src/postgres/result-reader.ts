import type { RunResult, Shape } from '../driver/index.ts';
import { JsonBytes } from './json-bytes.ts';
import type { RowShape } from './row-shape.ts';

/** `batch`: rows and the count of changed ones. */
export type ResultForm = Shape | 'batch';

/** Turns the rows of one statement, as they come in, into what the caller asked for. */
export class ResultReader {
  readonly form: ResultForm;
  #shape: RowShape | undefined;
  /** Made with the first row that is to be kept: most calls want one row. */
  #objects: Record<string, unknown>[] | undefined;
  #arrays: unknown[][] | undefined;
  #body: JsonBytes | undefined;
  #first: unknown;
  /** Rows that came. */
  rows = 0;

  constructor(form: ResultForm) {
    this.form = form;
  }

  /** @throws UsageError where rows of these columns cannot have that form */
  begin(shape: RowShape | null): void {
    if (shape === null) return;
    this.#shape = shape;
    if (this.form === 'all' || this.form === 'get' || this.form === 'batch') void shape.object;
    if (this.form === 'json') void shape.json;
  }

  /** What its rows look like, where there are any. */
  get shape(): RowShape | undefined {
    return this.#shape;
  }

  row(buffer: Buffer, at: number): void {
    this.rows += 1;
    const shape = this.#shape!;
    switch (this.form) {
      case 'all':
      case 'batch':
        (this.#objects ??= []).push(shape.object(buffer, at));
        return;
      case 'arrays':
        (this.#arrays ??= []).push(shape.array(buffer, at));
        return;
      case 'json':
        this.#body ??= new JsonBytes();
        shape.json(buffer, at, this.#body);
        return;
      case 'get':
        if (this.rows === 1) this.#first = shape.object(buffer, at);
        return;
      case 'value':
        if (this.rows === 1) this.#first = shape.first(buffer, at);
        return;
      default:
    }
  }

  /** @param rowsAffected as the server counted them */
  result(rowsAffected: number): unknown {
    switch (this.form) {
      case 'all':
        return this.#objects ?? [];
      case 'arrays':
        return this.#arrays ?? [];
      case 'batch':
        return { rowsAffected, rows: this.#objects ?? [] };
      case 'json':
        return (this.#body ?? new JsonBytes()).finish();
      case 'run':
        return { rowsAffected } satisfies RunResult;
      default:
        return this.#first;
    }
  }
}
