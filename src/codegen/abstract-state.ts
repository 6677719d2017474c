import { isEqual, join, NOTHING, NULL, type AbstractValue } from './abstract-value.ts';
import type { StoredTree } from './sqlite-schema.ts';

/** Whether a cursor stands on the row of NULLs that an outer join makes up. */
export type NullRow = 'no' | 'yes' | 'maybe';

/** What a cursor reads. */
export interface AbstractCursor {
  /** Undefined where it is not a table or index of the schema. */
  readonly tree: StoredTree | undefined;
  /** A temporary table, by the number that its contents are kept under. */
  readonly temporary: number | undefined;
  /** The register that holds the record, for a pseudo cursor. */
  readonly register: number | undefined;
  readonly nullRow: NullRow;
  /**
   * True when it goes up an index from a key that is not NULL: then the first field of no later row is NULL.
   */
  readonly skipsNull: boolean;
  /** Columns that are known not to be NULL in the row that it stands on. */
  readonly notNull: ReadonlySet<number>;
}

const NO_COLUMNS: ReadonlySet<number> = new Set();
const NO_CURSOR: AbstractCursor = {
  tree: undefined,
  temporary: undefined,
  register: undefined,
  nullRow: 'maybe',
  skipsNull: false,
  notNull: NO_COLUMNS,
};

/** What is known at one instruction. Copied before it is changed: other instructions hold it too. */
export class AbstractState {
  readonly registers: Map<number, AbstractValue>;
  readonly cursors: Map<number, AbstractCursor>;

  constructor(
    registers: Map<number, AbstractValue> = new Map<number, AbstractValue>(),
    cursors: Map<number, AbstractCursor> = new Map<number, AbstractCursor>(),
  ) {
    this.registers = registers;
    this.cursors = cursors;
  }

  copy(): AbstractState {
    return new AbstractState(new Map(this.registers), new Map(this.cursors));
  }

  get(register: number): AbstractValue {
    return this.registers.get(register) ?? NOTHING;
  }

  set(register: number, value: AbstractValue): void {
    this.registers.set(register, value);
  }

  cursor(cursor: number): AbstractCursor {
    return this.cursors.get(cursor) ?? NO_CURSOR;
  }

  open(cursor: number, given: Partial<AbstractCursor>): void {
    this.#forgetOrigin(cursor);
    this.cursors.set(cursor, { ...NO_CURSOR, nullRow: 'no', ...given });
  }

  /** The cursor moves to another row: what was known of the last one no longer holds. */
  move(cursor: number, nullRow: NullRow = 'no', skipsNull = false): void {
    this.#forgetOrigin(cursor);
    this.cursors.set(cursor, { ...this.cursor(cursor), nullRow, skipsNull, notNull: NO_COLUMNS });
  }

  /** On this path the register is not NULL. @returns false when the path is impossible */
  refineNotNull(register: number): boolean {
    const value = this.get(register);
    if ((value.classes & NULL) === 0) return true;
    if (value.classes === NULL) return false;
    this.set(register, { ...value, classes: value.classes & ~NULL });
    if (value.origin !== undefined) this.#noteNotNull(value.origin.cursor, value.origin.column);
    return true;
  }

  /** Merges what is known on another path to this instruction. @returns true when that adds anything */
  absorb(other: AbstractState): boolean {
    let changed = false;
    for (const [register, value] of this.registers) {
      const added = other.get(register);
      const joined = join(value, added);
      if (joined === value || isEqual(joined, value)) continue;
      this.set(register, joined);
      changed = true;
    }
    for (const [register, value] of other.registers) {
      if (this.registers.has(register)) continue;
      this.set(register, join(NOTHING, value));
      changed = true;
    }
    return this.#absorbCursors(other) || changed;
  }

  #absorbCursors(other: AbstractState): boolean {
    let changed = false;
    for (const cursor of new Set([...this.cursors.keys(), ...other.cursors.keys()])) {
      const here = this.cursors.get(cursor);
      const there = other.cursors.get(cursor);
      if (here === there) continue;
      const joined = joinCursors(here, there);
      if (here !== undefined && isSameCursor(here, joined)) continue;
      this.cursors.set(cursor, joined);
      changed = true;
    }
    return changed;
  }

  /** What distinguishes states that must not be merged: flags, counters and return addresses. */
  key(control: readonly number[]): string {
    let key = '';
    for (const register of control) key += `${this.registers.get(register)?.integer ?? ''},`;
    return key;
  }

  #noteNotNull(cursor: number, column: number): void {
    const known = this.cursor(cursor);
    this.cursors.set(cursor, { ...known, notNull: new Set(known.notNull).add(column) });
  }

  #forgetOrigin(cursor: number): void {
    for (const [register, value] of this.registers) {
      if (value.origin?.cursor === cursor) this.set(register, { ...value, origin: undefined });
    }
  }
}

function joinCursors(one: AbstractCursor | undefined, other: AbstractCursor | undefined): AbstractCursor {
  // Open on one path only: on the other nothing reads it.
  if (one === undefined || other === undefined) return (one ?? other)!;
  if (one.tree !== other.tree || one.temporary !== other.temporary || one.register !== other.register) {
    return NO_CURSOR;
  }
  return {
    ...one,
    nullRow: one.nullRow === other.nullRow ? one.nullRow : 'maybe',
    skipsNull: one.skipsNull && other.skipsNull,
    notNull: new Set([...one.notNull].filter((column) => other.notNull.has(column))),
  };
}

function isSameCursor(one: AbstractCursor, other: AbstractCursor): boolean {
  return (
    one.tree === other.tree &&
    one.temporary === other.temporary &&
    one.register === other.register &&
    one.nullRow === other.nullRow &&
    one.skipsNull === other.skipsNull &&
    one.notNull.size === other.notNull.size
  );
}
