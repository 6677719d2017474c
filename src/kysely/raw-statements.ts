import type { Database } from '../database/index.ts';

/** Texts whose answer is kept: a program has few of them; one that keeps making new ones starts over here. */
const TEXTS_KEPT = 500;

/** Says of texts that Kysely did not build whether they give rows. The engine knows; nothing is run. */
export class RawStatements {
  readonly #db: Database;
  readonly #givesRows = new Map<string, boolean>();

  constructor(db: Database) {
    this.#db = db;
  }

  async givesRows(text: string): Promise<boolean> {
    const known = this.#givesRows.get(text);
    if (known !== undefined) return known;
    const { columns } = await this.#db.describe(text);
    if (this.#givesRows.size >= TEXTS_KEPT) this.#givesRows.clear();
    this.#givesRows.set(text, columns.length > 0);
    return columns.length > 0;
  }
}
