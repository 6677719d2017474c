import type { Exchange, Loss, TransactionStatus } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import { readFailure, type ServerFailure } from './server-error.ts';
import { BackendCode } from './wire-codes.ts';
import type { WireWriter } from './wire-writer.ts';

export interface ScriptParts {
  readonly text: string;
  readonly isBarrier: boolean;
  /** See `Exchange.refusal`. */
  refusal?(): Error | undefined;
  answered(failure: ServerFailure | undefined, status: TransactionStatus): void;
  lost(loss: Loss & { readonly failure: ServerFailure | undefined; readonly isBegun: boolean }): void;
}

/**
 * Several statements as one text. Outside a transaction they are one:
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export class ScriptExchange implements Exchange {
  readonly isBarrier: boolean;
  readonly #parts: ScriptParts;
  #link: PostgresLink | undefined;
  #failure: ServerFailure | undefined;
  /** A statement of it was done: it may have been the last one, with which all is committed. */
  #isBegun = false;

  constructor(parts: ScriptParts) {
    this.#parts = parts;
    this.isBarrier = parts.isBarrier;
  }

  refusal(): Error | undefined {
    return this.#parts.refusal?.();
  }

  write(writer: WireWriter, link: PostgresLink): void {
    this.#link = link;
    writer.query(this.#parts.text);
  }

  read(code: number, buffer: Buffer, start: number, end: number): void {
    if (code === BackendCode.commandComplete) this.#isBegun = true;
    if (code === BackendCode.error) this.#failure ??= readFailure(buffer, start, end);
    // COPY … FROM STDIN: there is nothing to come.
    if (code === BackendCode.copyIn)
      this.#link!.writeMore((writer) => writer.copyFail('a script has no data'));
  }

  end(status: TransactionStatus): void {
    this.#parts.answered(this.#failure, status);
  }

  lose(loss: Loss): void {
    this.#parts.lost({ ...loss, failure: this.#failure, isBegun: this.#isBegun });
  }
}
