import type { LeaseLike, Statement } from '../driver/index.ts';
import type { ConnectionSource } from './clean-source.ts';
import type { PostgresConnection } from './connection.ts';
import { createCall, startCall, type PendingCall } from './pending-call.ts';
import type { Plan } from './plan.ts';
import { NO_SERVER_LIMITS } from './server-limits.ts';

/** For asking what became of a COMMIT. */
const OUTCOME_TIMEOUT_MS = 2_000;
const OUTCOME_PAUSE_MS = 20;
/** For a connection's goodbye. */
const END_MS = 500;

interface OwnQuestionsParts {
  planOf(text: string): Plan;
  /** Sends a read on a connection that many share; absent where each has one of its own. */
  readonly submit: ((call: PendingCall) => void) | undefined;
  readonly connections: ConnectionSource;
  connect(signal: AbortSignal): Promise<PostgresConnection>;
}

/**
 * What the engine itself asks the server. These questions are not reported, and wait for no connection that
 * callers hold: one of them may be waiting for the answer.
 */
export class OwnQuestions {
  readonly #parts: OwnQuestionsParts;

  constructor(parts: OwnQuestionsParts) {
    this.#parts = parts;
  }

  /** @throws ConnectionError, TimeoutError */
  async ask(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    const { submit, connections } = this.#parts;
    if (submit !== undefined) return startCall(this.#describe(statement, timeoutMs), submit);
    const lease = connections.tryAcquire('question');
    return lease === undefined ? this.askApart(statement, timeoutMs) : askOn(lease, statement, timeoutMs);
  }

  /** Asks on a connection opened for it. @throws ConnectionError, TimeoutError */
  async askApart(statement: Statement, timeoutMs: number): Promise<unknown[][]> {
    const connection = await this.#parts.connect(AbortSignal.timeout(timeoutMs));
    try {
      return await connection.ask(statement, timeoutMs);
    } finally {
      await connection.end('asked', END_MS);
    }
  }

  /** What became of a transaction whose COMMIT was not answered; undefined where it cannot be found out. */
  async isCommitted(transactionId: string): Promise<boolean | undefined> {
    const statement = { text: 'select pg_xact_status($1::xid8)', params: [transactionId] };
    const deadline = performance.now() + OUTCOME_TIMEOUT_MS;
    do {
      // What failed to ask is not an answer, and is asked again until the time is up.
      const rows = await this.ask(statement, OUTCOME_TIMEOUT_MS).catch(() => undefined);
      const status = rows?.[0]?.[0];
      if (status === 'committed') return true;
      if (status === 'aborted') return false;
      // Still in progress: the server has not noticed yet that its client is gone, or it is committing.
      await new Promise((resolve) => setTimeout(resolve, OUTCOME_PAUSE_MS));
    } while (performance.now() < deadline);
    return undefined;
  }

  #describe(statement: Statement, timeoutMs: number): PendingCall {
    return createCall(
      { form: 'arrays', statement, plan: this.#parts.planOf(statement.text) },
      { timeoutMs },
      {
        placement: 'worker',
        transactionId: undefined,
        queryTimeoutMs: timeoutMs,
        serverLimits: NO_SERVER_LIMITS,
        observer: undefined,
      },
    );
  }
}

async function askOn(
  lease: LeaseLike<PostgresConnection>,
  statement: Statement,
  timeoutMs: number,
): Promise<unknown[][]> {
  try {
    return await lease.resource.ask(statement, timeoutMs);
  } finally {
    lease.release(lease.resource.usable ? 'reuse' : 'discard');
  }
}
