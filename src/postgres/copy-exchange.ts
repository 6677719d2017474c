import { UsageError } from '../errors/index.ts';
import { cstringEnd } from './columns.ts';
import { readCommandTag } from './command-tag.ts';
import type { Exchange, Loss, TransactionStatus } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { readFailure, type ServerFailure } from './server-error.ts';
import { BackendCode } from './wire-codes.ts';
import type { WireWriter } from './wire-writer.ts';

/** How a COPY ended. */
export interface CopyEnd {
  /** Undefined where it was not completed. */
  readonly rows: number | undefined;
  readonly failure: ServerFailure | undefined;
  /** What the caller did wrong; the server has nothing to say about it. */
  readonly fault: Error | undefined;
  /** The connection was lost during it. */
  readonly loss: Loss | undefined;
}

export interface CopyParts {
  readonly text: string;
  readonly direction: 'in' | 'out';
  /** Limits of the server that are off for it, and for the rest of its transaction. */
  readonly lifted: readonly string[];
  refusal(): Error | undefined;
  /** The server is ready: to take data, or to give them. */
  begun(): void;
  /** A piece of what comes out; valid only now. */
  data(bytes: Buffer): void;
  ended(end: CopyEnd): void;
}

/**
 * One COPY whose data go over the connection, by the extended protocol: it takes one statement, not several.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export class CopyExchange implements Exchange {
  readonly isBarrier = true;
  readonly #parts: CopyParts;
  #link: PostgresLink | undefined;
  #rows: number | undefined;
  #failure: ServerFailure | undefined;
  #fault: Error | undefined;
  /** How many answers to skip: those of the steps before the COPY. */
  #toSkip = 0;
  #isBegun = false;
  #isSynced = false;
  /** All data were sent and the server was told so: from here on they may be committed. */
  #isComplete = false;

  constructor(parts: CopyParts) {
    this.#parts = parts;
  }

  /** `open` while the server takes data. */
  get state(): 'unsent' | 'sent' | 'open' | 'ending' {
    if (this.#link === undefined) return 'unsent';
    if (this.#isSynced) return 'ending';
    return this.#isBegun ? 'open' : 'sent';
  }

  /** False as long as all of it is known to be gone if the connection is lost. */
  get mayBeDone(): boolean {
    return this.#isComplete && (this.#failure === undefined || this.#rows !== undefined);
  }

  refusal(): Error | undefined {
    return this.#parts.refusal();
  }

  write(writer: WireWriter, link: PostgresLink): void {
    this.#link = link;
    // A large COPY takes longer than any one statement should, so the client limits it instead.
    const { lifted } = this.#parts;
    if (lifted.length > 0) {
      this.#toSkip = 1;
      writer.parse('', `select ${lifted.map((name) => `set_config('${name}', '0', true)`).join(', ')}`);
      writer.bind('', '', []);
      writer.execute('', 0);
    }
    writer.parse('', this.#parts.text);
    writer.bind('', '', []);
    writer.execute('', 0);
    // While it takes data the server ignores a Sync, and the one behind the data ends the exchange.
    if (this.#parts.direction === 'in') writer.flush();
    else this.#sync(writer);
  }

  sendData(bytes: Uint8Array): void {
    if (!this.#isSynced) this.#link!.writeMore((writer) => writer.copyData(bytes));
  }

  complete(): void {
    if (this.#isSynced) return;
    this.#isComplete = true;
    this.#link!.writeMore((writer) => {
      writer.copyDone();
      this.#sync(writer);
    });
  }

  /** The data end here, and nothing of them is kept. */
  abandon(): void {
    if (this.#isSynced) return;
    this.#link!.writeMore((writer) => {
      writer.copyFail('the client gave up');
      this.#sync(writer);
    });
  }

  read(code: number, buffer: Buffer, start: number, end: number): void {
    switch (code) {
      case BackendCode.copyIn:
        return this.#begin('in');
      case BackendCode.copyOut:
        return this.#begin('out');
      case BackendCode.copyData:
        if (this.#fault === undefined) this.#parts.data(Buffer.from(buffer.subarray(start, end)));
        return;
      case BackendCode.dataRow:
        if (this.#toSkip === 0) this.#fault ??= notACopyError();
        return;
      case BackendCode.commandComplete:
        if (this.#toSkip > 0) return void (this.#toSkip = 0);
        this.#rows = readCommandTag(buffer, start, cstringEnd(buffer, start)).rowsAffected;
        return this.#syncNow();
      case BackendCode.error:
        this.#failure ??= readFailure(buffer, start, end);
        return this.#syncNow();
      default:
    }
  }

  end(_status: TransactionStatus): void {
    this.#parts.ended({ rows: this.#rows, failure: this.#failure, fault: this.#fault, loss: undefined });
  }

  lose(loss: Loss): void {
    this.#parts.ended({ rows: undefined, failure: this.#failure, fault: undefined, loss });
  }

  #begin(direction: 'in' | 'out'): void {
    this.#isBegun = true;
    if (direction === this.#parts.direction) return this.#parts.begun();
    this.#fault = directionError(direction);
    if (direction === 'out') return this.#syncNow();
    this.#isSynced = false;
    this.abandon();
  }

  #syncNow(): void {
    if (!this.#isSynced) this.#link!.writeMore((writer) => this.#sync(writer));
  }

  #sync(writer: WireWriter): void {
    this.#isSynced = true;
    writer.sync();
  }
}

export function notACopyError(): UsageError {
  return new UsageError('copyIn takes COPY … FROM STDIN, copyOut takes COPY … TO STDOUT.');
}

function directionError(direction: 'in' | 'out'): UsageError {
  return new UsageError(
    direction === 'in'
      ? 'This COPY reads from STDIN: its data go in with db.copyIn.'
      : 'This COPY writes to STDOUT: its data come out with db.copyOut.',
  );
}
