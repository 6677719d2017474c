import type { RowShape } from './row-shape.ts';

/** How often the schema was changed by statements of ours. */
export interface SchemaVersion {
  current: number;
}

/** A statement that the server keeps under a name, on one connection. */
export interface PreparedStatement {
  readonly text: string;
  readonly name: string;
  /**
   * The types of its parameters as they were when it was prepared, whatever has become of the tables since.
   */
  readonly version: number;
  /** What its rows look like; undefined until the server has said so, null where it gives none. */
  shape: RowShape | null | undefined;
}

/** The prepared statements of one connection, the least recently used dropped first. */
export class PreparedStatements {
  readonly #limit: number;
  readonly #schema: Readonly<SchemaVersion>;
  readonly #statements = new Map<string, PreparedStatement>();
  #lastNumber = 0;
  /** Dropped here, but still kept by the server. */
  #toClose: string[] = [];

  constructor(limit: number, schema: Readonly<SchemaVersion>) {
    this.#limit = limit;
    this.#schema = schema;
  }

  get(text: string): PreparedStatement | undefined {
    const known = this.#statements.get(text);
    if (known !== undefined && known.version !== this.#schema.current) {
      this.drop(known);
      return undefined;
    }
    // While there is room, nothing has to be moved: nothing will be dropped.
    if (known === undefined || this.#statements.size < this.#limit / 2) return known;
    this.#statements.delete(text);
    this.#statements.set(text, known);
    return known;
  }

  /** To be prepared with the next exchange. Each has a name of its own: none is used again. */
  add(text: string): PreparedStatement {
    const oldest = this.#statements.size >= this.#limit ? this.#statements.values().next().value : undefined;
    if (oldest !== undefined) this.drop(oldest);
    this.#lastNumber += 1;
    const name = `millpond_${this.#lastNumber}`;
    const statement: PreparedStatement = { text, name, version: this.#schema.current, shape: undefined };
    this.#statements.set(text, statement);
    return statement;
  }

  drop(statement: PreparedStatement): void {
    if (this.#statements.get(statement.text) === statement) this.#statements.delete(statement.text);
    this.#toClose.push(statement.name);
  }

  /** Names that the server may forget. */
  takeClosed(): readonly string[] {
    if (this.#toClose.length === 0) return NONE;
    const names = this.#toClose;
    this.#toClose = [];
    return names;
  }

  /** After DISCARD ALL: the server has forgotten all of them. */
  forgetAll(): void {
    this.#statements.clear();
    this.#toClose = [];
  }
}

const NONE: readonly string[] = Object.freeze([]);
