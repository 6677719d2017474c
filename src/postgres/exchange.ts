import type { PostgresLink } from './link.ts';
import type { WireWriter } from './wire-writer.ts';

/** What a ReadyForQuery says: idle, in a transaction, in an aborted one. */
export type TransactionStatus = 'I' | 'T' | 'E';

/** How the connection of an exchange was lost. */
export interface Loss {
  readonly error: Error;
  /** False where nothing of the exchange had been sent. */
  readonly sent: boolean;
}

/**
 * What is sent up to one Sync, and what becomes of its answer. The server executes it as a whole: after a
 * failed statement it skips the rest, and outside a transaction all of it is one transaction.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export interface Exchange {
  /** While one is under way nothing is sent behind it: what follows depends on how it ends. */
  readonly isBarrier: boolean;
  /** Asked when it is its turn to be sent. @returns why it must not be sent */
  refusal?(): Error | undefined;
  write(writer: WireWriter, link: PostgresLink): void;
  /** One message of the answer. */
  read(code: number, buffer: Buffer, start: number, end: number): void;
  /** The whole answer is there. */
  end(status: TransactionStatus): void;
  /** The answer will never come. */
  lose(loss: Loss): void;
}
