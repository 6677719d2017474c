/** The storage classes of SQLite, as bits: https://sqlite.org/datatype3.html */
export const NULL = 1;
export const INTEGER = 2;
export const REAL = 4;
export const TEXT = 8;
export const BLOB = 16;
export const NUMERIC: number = INTEGER | REAL;
export const ANYTHING: number = NULL | INTEGER | REAL | TEXT | BLOB;

/** What matters of a table's column for the values in it. */
export interface StoredColumn {
  readonly name: string;
  /** What it holds if its declared type is respected; NULL is one of the bits where it may be null. */
  readonly classes: number;
  /** What may be bound for it, in TypeScript; undefined where the declared type says nothing. */
  readonly bindable: string | undefined;
}

/** What a register may hold. */
export interface AbstractValue {
  readonly classes: number;
  /** The one integer that it holds. */
  readonly integer?: number | undefined;
  /** True for a number written in the statement that is finite and not zero. */
  readonly isOrdinaryNumber?: boolean | undefined;
  /** The text written in the statement. */
  readonly text?: string | undefined;
  /** The cursor and column whose current row it was read from. */
  readonly origin?: { readonly cursor: number; readonly column: number } | undefined;
  /** The column of a table that it came from. */
  readonly column?: StoredColumn | undefined;
  /** Numbers of the parameters that it may be. */
  readonly parameters?: readonly number[] | undefined;
  /** The fields, where it is a record. */
  readonly record?: readonly AbstractValue[] | undefined;
  /** The register that the first field of the record was made of. */
  readonly recordStart?: number | undefined;
}

export const UNKNOWN: AbstractValue = { classes: ANYTHING };
/** What registers hold before anything is written to them. */
export const NOTHING: AbstractValue = { classes: NULL };

export function ofClasses(classes: number): AbstractValue {
  return { classes };
}

export function mayBeNull({ classes }: AbstractValue): boolean {
  return (classes & NULL) !== 0;
}

/** A value that is one or the other. */
export function join(one: AbstractValue, other: AbstractValue): AbstractValue {
  if (one === other) return one;
  return {
    classes: one.classes | other.classes,
    integer: one.integer === other.integer ? one.integer : undefined,
    isOrdinaryNumber: one.isOrdinaryNumber === true && other.isOrdinaryNumber === true,
    text: one.text === other.text ? one.text : undefined,
    origin: isSameOrigin(one, other) ? one.origin : undefined,
    column: one.column === other.column ? one.column : undefined,
    parameters: joinNumbers(one.parameters, other.parameters),
    record: joinRecords(one.record, other.record),
    recordStart: one.recordStart === other.recordStart ? one.recordStart : undefined,
  };
}

/** Fields of records that are in one place; undefined where they have not the same length. */
export function joinRecords(
  one: readonly AbstractValue[] | undefined,
  other: readonly AbstractValue[] | undefined,
): readonly AbstractValue[] | undefined {
  if (one === other) return one;
  if (one === undefined || other === undefined || one.length !== other.length) return undefined;
  return one.map((value, index) => join(value, other[index]!));
}

/** True when both say the same, so that going on would teach nothing. */
export function isEqual(one: AbstractValue, other: AbstractValue): boolean {
  if (one === other) return true;
  return (
    one.classes === other.classes &&
    one.integer === other.integer &&
    (one.isOrdinaryNumber ?? false) === (other.isOrdinaryNumber ?? false) &&
    one.text === other.text &&
    isSameOrigin(one, other) &&
    one.column === other.column &&
    (one.parameters ?? []).join() === (other.parameters ?? []).join() &&
    one.recordStart === other.recordStart &&
    isEqualRecord(one.record, other.record)
  );
}

export function isEqualRecord(
  one: readonly AbstractValue[] | undefined,
  other: readonly AbstractValue[] | undefined,
): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || one.length !== other.length) return false;
  return one.every((value, index) => isEqual(value, other[index]!));
}

function isSameOrigin({ origin: one }: AbstractValue, { origin: other }: AbstractValue): boolean {
  return one?.cursor === other?.cursor && one?.column === other?.column;
}

function joinNumbers(
  one: readonly number[] | undefined,
  other: readonly number[] | undefined,
): readonly number[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return [...new Set([...one, ...other])].sort((a, b) => a - b);
}
