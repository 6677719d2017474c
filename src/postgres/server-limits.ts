import type { PostgresSettings } from './settings.ts';

/** How long past the client's own limit the server waits before it enforces the limit itself. */
export const SERVER_SLACK_MS = 2_000;
/** https://www.postgresql.org/docs/17/runtime-config-client.html#GUC-TRANSACTION-TIMEOUT */
const TRANSACTION_TIMEOUT_SINCE = 17;

/** The limits that the server enforces in each session, in ms, in case the client does not; 0 = none. */
export interface ServerLimits {
  readonly statementMs: number;
  /** Of a transaction, also that of a lone statement. Servers before 17 have no such limit. */
  readonly transactionMs: number;
}

export const NO_SERVER_LIMITS: ServerLimits = Object.freeze({ statementMs: 0, transactionMs: 0 });

export function serverLimits(settings: PostgresSettings): ServerLimits {
  const { queryTimeoutMs, transactionTimeoutMs, cancelGraceMs, throughPooler } = settings;
  const past = (limitMs: number): number => limitMs + cancelGraceMs + SERVER_SLACK_MS;
  const isStatementLimited = queryTimeoutMs > 0 && !throughPooler;
  return {
    statementMs: isStatementLimited ? past(queryTimeoutMs) : 0,
    transactionMs:
      isStatementLimited && transactionTimeoutMs > 0
        ? past(Math.max(queryTimeoutMs, transactionTimeoutMs))
        : 0,
  };
}

/** Those of the limits that the server of a connection supports. */
export function keptLimits(limits: ServerLimits, parameters: ReadonlyMap<string, string>): ServerLimits {
  // `18.1 (Debian 18.1-1)`, `19devel`.
  const version = Number.parseInt(parameters.get('server_version') ?? '0', 10);
  return version >= TRANSACTION_TIMEOUT_SINCE ? limits : { ...limits, transactionMs: 0 };
}

/** The server's limit for a call that may take longer than the session's limit; undefined for other calls. */
export function liftedLimitMs(timeoutMs: number, { statementMs }: ServerLimits): number | undefined {
  if (statementMs === 0 || (timeoutMs > 0 && timeoutMs < statementMs)) return undefined;
  return timeoutMs === 0 ? 0 : timeoutMs + statementMs;
}

interface Lifting {
  /** For the rest of the transaction, or of the session. */
  readonly scope: 'local' | 'session';
  /** A transaction has the limit that was set at its beginning. */
  readonly inTransaction: boolean;
  readonly kept: ServerLimits;
}

/** The statements that give a call the limit `limitMs`. */
export function liftTexts(limitMs: number, { scope, inTransaction, kept }: Lifting): string[] {
  const texts = [`set ${scope} statement_timeout = ${limitMs}`];
  if (!inTransaction && kept.transactionMs > 0) texts.push(`set ${scope} transaction_timeout = 0`);
  return texts;
}

/** What gives a transaction a longer limit than its session has; nothing where it has a shorter one. */
export function longerLimitTexts(
  timeoutMs: number | undefined,
  limits: ServerLimits,
  parameters: ReadonlyMap<string, string>,
): string[] {
  if (timeoutMs === undefined) return [];
  const { statementMs, transactionMs } = keptLimits(limits, parameters);
  if (transactionMs === 0) return [];
  if (timeoutMs > 0 && timeoutMs <= transactionMs - SERVER_SLACK_MS) return [];
  // A running timer can only be stopped and started, not moved.
  const lifted = ['set local transaction_timeout = 0'];
  return timeoutMs === 0 ? lifted : [...lifted, `set local transaction_timeout = ${timeoutMs + statementMs}`];
}
