import { Op, type StatementReference, type Wire } from './protocol.ts';
import type { KnownColumns } from './result-decoding.ts';

/** What the main thread knows of one statement on one connection. */
export interface ReferencedStatement extends KnownColumns {
  readonly id: number;
}

/**
 * Numbers for statement texts, so that a text crosses to a worker once. The oldest is forgotten on both
 * sides.
 */
export class StatementReferences {
  readonly #limit: number;
  readonly #byText = new Map<string, ReferencedStatement>();
  #forgotten: number[] = [];
  #lastId = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns the statement, and its text where the worker does not have it yet. */
  use(text: string): { readonly statement: ReferencedStatement; readonly reference: StatementReference } {
    const known = this.#byText.get(text);
    if (known !== undefined) return { statement: known, reference: { id: known.id, text: null } };
    if (this.#byText.size >= this.#limit) this.#forgetOldest();
    const statement: ReferencedStatement = { id: (this.#lastId += 1), shape: undefined };
    this.#byText.set(text, statement);
    return { statement, reference: { id: statement.id, text } };
  }

  /**
   * Tells the worker what was forgotten. To be written behind the request that used the statements, never
   * before it.
   */
  writeForgotten(wire: Wire): void {
    if (this.#forgotten.length === 0) return;
    for (const id of this.#forgotten) wire.push(Op.forget, id);
    this.#forgotten = [];
  }

  #forgetOldest(): void {
    const [text, { id }] = this.#byText.entries().next().value!;
    this.#byText.delete(text);
    this.#forgotten.push(id);
  }
}
