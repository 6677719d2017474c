import type { Shape } from '../driver/index.ts';
import type { NumberStore } from './columnar.ts';
import type { Bindable } from './parameters.ts';
import type { ConnectionRole, ConnectionSettings } from './settings.ts';

/**
 * The closed list of messages between the main thread and a worker.
 *
 * A message is one flat array that holds any number of requests (or replies) end to end, each written by its
 * encoder below and read back field by field with a `Cursor`. Flat, because a structured clone has a cost for
 * each array: this way it is one for the whole message instead of one for each call.
 */
export type Wire = unknown[];

/** A message of answers. */
export type Answers = readonly [numbers: Float64Array, wire: Wire];

/** What a worker writes its answers to, until they are sent. */
export interface Reply {
  readonly wire: Wire;
  readonly numbers: NumberStore;
  /** Buffers that are handed over, not copied: JSON bodies. */
  readonly transfer: ArrayBuffer[];
}

/** Kinds of requests, the first field of each; the second is the call's sequence number. */
export const Op = {
  /** A statement for the transaction that is open, or a read outside of one. */
  execute: 1,
  /** A write outside a transaction: it joins the group commit. */
  write: 2,
  batch: 3,
  script: 4,
  control: 5,
  openCursor: 6,
  fetch: 7,
  closeCursor: 8,
  maintain: 9,
  /** The statement with this id will not be sent again. */
  forget: 10,
} as const;

/** Kinds of replies; the first field is the sequence number, the second one of these. */
export const Status = {
  done: 1,
  run: 2,
  rows: 3,
  columnar: 4,
  /** A JSON body: its bytes, the number of rows, microseconds. */
  json: 5,
  batch: 6,
  /** Whether more will come, then a reply with rows. */
  chunk: 7,
  error: 8,
} as const;

export type ControlVerb =
  | 'begin-write'
  | 'begin-rebuild'
  | 'begin-read'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to';
export type MaintenanceTask =
  | 'checkpoint'
  | 'log'
  | 'restart'
  | 'optimize'
  | 'pragmas'
  | 'backup'
  | 'analyze'
  | 'describe'
  | 'data-version'
  | 'ping'
  | 'close';
/** The argument of 'close' where the database and its log are to stay as they are. */
export const KEEP_LOG = 'keep log';

/** Why a request failed: SQLite's own code, or one of ours below 0. */
export const FailureCode = {
  /** The call was cancelled before it began, or while it ran. */
  cancelled: -1,
  /** The transaction that the statement belongs to has ended. */
  transactionEnded: -2,
  /** The caller's mistake; the message says which. */
  usage: -3,
  /** COMMIT met an I/O error: the write may be on disk or not. */
  outcomeUnknown: -4,
  /** An error in the worker that is not SQLite's. */
  internal: -5,
  /** As `outcomeUnknown`, and it was the disk that failed. */
  diskFailed: -6,
  /** An earlier COMMIT on this connection met an I/O error: nothing more is written on it. */
  connectionDoubtful: -7,
  /** As `usage`: two columns of one name, where rows are to be objects. */
  duplicateColumn: -8,
} as const;

export function isOutcomeUnknown(code: number): boolean {
  return code === FailureCode.outcomeUnknown || code === FailureCode.diskFailed;
}

/** What a statement is known by on one connection; the text travels with the first request only. */
export interface StatementReference {
  readonly id: number;
  readonly text: string | null;
}

export const SHAPES: readonly Shape[] = ['all', 'get', 'value', 'run', 'json', 'arrays'];

export function encodeStatement(
  wire: Wire,
  head: {
    readonly op: typeof Op.execute | typeof Op.write;
    readonly seq: number;
    readonly shape: Shape;
    readonly watch: boolean;
  },
  statement: StatementReference,
  params: readonly Bindable[],
): void {
  wire.push(
    head.op,
    head.seq,
    SHAPES.indexOf(head.shape),
    head.watch,
    statement.id,
    statement.text,
    params.length,
  );
  for (let index = 0; index < params.length; index += 1) wire.push(params[index]);
}

const NO_NUMBERS = new Float64Array();

/** Reads a message field by field. The order of reads mirrors the encoder's order of writes. */
export class Cursor {
  #at = 0;
  /** What the columnar results of an answer refer to. */
  readonly numbers: Float64Array;
  readonly #wire: Wire;

  constructor(wire: Wire, numbers: Float64Array = NO_NUMBERS) {
    this.#wire = wire;
    this.numbers = numbers;
  }

  get done(): boolean {
    return this.#at >= this.#wire.length;
  }

  next<T>(): T {
    return this.#wire[this.#at++] as T;
  }

  /** The next `count` fields. */
  take<T>(count: number): T[] {
    const from = this.#at;
    this.#at += count;
    return this.#wire.slice(from, this.#at) as T[];
  }
}

/** Given to a worker when it starts. */
export interface WorkerStart {
  readonly settings: ConnectionSettings;
  readonly role: ConnectionRole;
  readonly board: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  /** The interrupt extension, where there is one. */
  readonly interruptLibrary: string | undefined;
}

/** The first message of a worker: it is open, or why it is not. */
export type WorkerReady =
  | { readonly ready: true; readonly interruptKey: number | undefined }
  | { readonly ready: false; readonly code: number; readonly message: string };
