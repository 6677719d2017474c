import { keptLimits, SERVER_SLACK_MS, serverLimits } from './server-limits.ts';
import type { ConnectionRole, PostgresSettings } from './settings.ts';

/**
 * Writes that are committed together wait no longer than this for a lock: its holder may be waiting for one
 * of them.
 */
const GROUPED_LOCK_TIMEOUT_MS = 50;

/**
 * What is sent first on each connection. Nothing is sent through a pooler that gives each transaction another
 * session: it would be set for somebody else.
 * @param parameters what the server has said of itself
 */
export function setupText(
  settings: PostgresSettings,
  role: ConnectionRole,
  parameters: ReadonlyMap<string, string>,
): string {
  if (settings.throughPooler) return '';
  const { statementMs, transactionMs } = keptLimits(serverLimits(settings), parameters);
  const idleMs = Math.max(settings.idleInTransactionTimeoutMs, settings.streamIdleTimeoutMs);
  const values: Record<string, string> = {
    // How values are written; a role or a database may have other defaults.
    bytea_output: 'hex',
    datestyle: 'ISO',
    extra_float_digits: '1',
    // Lets the server end what a client has left that is gone, or hangs.
    statement_timeout: String(statementMs),
    ...(transactionMs === 0 ? {} : { transaction_timeout: String(transactionMs) }),
    idle_in_transaction_session_timeout: String(idleMs === 0 ? 0 : idleMs + SERVER_SLACK_MS),
    ...(settings.searchPath === '' ? {} : { search_path: schemaList(settings.searchPath) }),
    ...(settings.readOnly || role === 'shared' ? { default_transaction_read_only: 'on' } : {}),
    ...(role === 'grouped' ? { lock_timeout: String(GROUPED_LOCK_TIMEOUT_MS) } : {}),
  };
  return Object.entries(values)
    .map(([name, value]) => `set ${name} = ${name === 'search_path' ? value : literal(value)}`)
    .join('; ');
}

/** Each name is quoted: capitals in it are meant. */
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
