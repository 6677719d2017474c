import type { ConnectionRole, PostgresSettings } from './settings.ts';

/** Past the client's own limit the server waits this long before it keeps the limit by itself. */
const SERVER_SLACK_MS = 2_000;
/** Writes that are committed together wait no longer for a lock: its holder may wait for one of them. */
const GROUPED_LOCK_TIMEOUT_MS = 50;

/** The server's limit on a statement, should the client not keep it; 0 = none. */
export function serverLimitMs({ queryTimeoutMs, cancelGraceMs, throughPooler }: PostgresSettings): number {
  return queryTimeoutMs === 0 || throughPooler ? 0 : queryTimeoutMs + cancelGraceMs + SERVER_SLACK_MS;
}

/**
 * What is sent first on each connection. Through a pooler that gives each transaction another session
 * nothing is: it would be set for somebody else.
 */
export function setupText(settings: PostgresSettings, role: ConnectionRole): string {
  if (settings.throughPooler) return '';
  const idleMs = Math.max(settings.idleInTransactionTimeoutMs, settings.streamIdleTimeoutMs);
  const values: Record<string, string> = {
    // How values are written; a role or a database may have other defaults.
    bytea_output: 'hex',
    datestyle: 'ISO',
    extra_float_digits: '1',
    // The server ends what a client that is gone, or hangs, has left.
    statement_timeout: String(serverLimitMs(settings)),
    idle_in_transaction_session_timeout: String(idleMs === 0 ? 0 : idleMs + SERVER_SLACK_MS),
    ...(settings.searchPath === '' ? {} : { search_path: schemaList(settings.searchPath) }),
    ...(settings.readOnly || role === 'shared' ? { default_transaction_read_only: 'on' } : {}),
    ...(role === 'grouped' ? { lock_timeout: String(GROUPED_LOCK_TIMEOUT_MS) } : {}),
  };
  return Object.entries(values)
    .map(([name, value]) => `set ${name} = ${name === 'search_path' ? value : literal(value)}`)
    .join('; ');
}

/** Each name quoted: one that is written in capitals is meant so. */
function schemaList(searchPath: string): string {
  const names = searchPath.split(',').map((name) => name.trim());
  return names
    .filter((name) => name !== '')
    .map((name) => `"${name.replaceAll('"', '""')}"`)
    .join(', ');
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
