import type { Item, NewEvent } from '../harness/seed.ts';

/** Synchronous drivers return the value, asynchronous ones a promise; callers await either. */
export type MaybePromise<T> = T | Promise<T>;

export type Synchronous = 'full' | 'normal';

export interface OpenOptions {
  readonly file: string;
  /** The pragma of this name, for connections that write. */
  readonly synchronous: Synchronous;
  /** How many connections may read at once; synchronous drivers have their one. */
  readonly readers?: number | undefined;
  /** The work writes: a pool in which every worker may write is given one worker, which is its best case. */
  readonly writes?: boolean | undefined;
}

/** The calls that the works make; each peer answers them in the way its own documentation recommends. */
export interface SqlPeer {
  pointRead(id: number): MaybePromise<ItemRow | undefined>;
  rangeRead(firstId: number, count: number): MaybePromise<readonly ItemRow[]>;
  /** One row, committed by itself. */
  insert(event: NewEvent): MaybePromise<unknown>;
  /** First column of the first row; for long scans. */
  value(text: string): MaybePromise<unknown>;
  /** A pragma as the connection that writes has it, where that is not the one `value` asks. */
  setting?(pragma: string): MaybePromise<unknown>;
  close(): MaybePromise<void>;
  /** Where a peer has its own way from rows to the bytes of a JSON body. */
  jsonBody?(firstId: number, count: number): MaybePromise<Uint8Array>;
  /** Begin immediate, read the balance, write it plus one, commit; where a peer can do so. */
  increment?(accountId: number): MaybePromise<unknown>;
  /** Takes this many readers for itself, where readers are made only when they are needed. */
  holdReaders?(count: number): Promise<readonly HeldReader[]>;
  /** All rows in one transaction, by the peer's best way. */
  insertMany?(events: readonly NewEvent[]): MaybePromise<unknown>;
}

export interface HeldReader extends Pick<SqlPeer, 'rangeRead'> {
  release(): Promise<void>;
}

export type ItemRow = Omit<Item, 'createdAt'> & { readonly created_at: number };

/** A pool of trivial resources, filled and ready. */
export interface LeasePeer<Lease = unknown> {
  acquire(): Promise<Lease>;
  release(lease: Lease): void;
  close(): Promise<void>;
}

export interface SqlPeerModule {
  openPeer(options: OpenOptions): MaybePromise<SqlPeer>;
}

export interface LeasePeerModule {
  openPool(max: number): MaybePromise<LeasePeer>;
}
