import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionError, UsageError } from '../errors/index.ts';
import type { DatabaseState, MonitorState } from '../monitor/index.ts';
import { ExitCode, type CommandContext, type CommandResult } from './command.ts';
import { textTable } from './text-table.ts';

export interface TopFlags {
  /** For the monitor. @default the variable MILLPOND_MONITOR_TOKEN */
  readonly token?: string | undefined;
  /** Between two looks, in milliseconds. @default 1_000 */
  readonly interval?: number | undefined;
  /** Statements that are shown. @default 15 */
  readonly count?: number | undefined;
}

const ANSWER_WITHIN_MS = 5_000;
const SHORTEST_INTERVAL_MS = 100;
/** Clears the terminal and goes to its first line. */
const CLEAR = '\u001B[2J\u001B[H';

/**
 * `millpond top <url>`: the statements, pools and transactions of a running process, by its monitor. Once for
 * programs; until Ctrl-C where somebody watches.
 */
export async function topCommand(
  { isTty, json, signal }: CommandContext,
  address: string,
  flags: TopFlags,
): Promise<CommandResult> {
  const { count = 15 } = flags;
  let state = await readMonitor(address, flags, signal);
  if (!isTty || json) return { json: state, text: showState(state, undefined, count) };
  const intervalMs = Math.max(SHORTEST_INTERVAL_MS, flags.interval ?? 1_000);
  let before: MonitorState | undefined;
  for (;;) {
    process.stdout.write(`${CLEAR}${showState(state, before, count)}\n`);
    try {
      await sleep(intervalMs, undefined, { signal });
      before = state;
      state = await readMonitor(address, flags, signal);
    } catch (error) {
      if (signal.aborted) return { json: {}, text: '', exitCode: ExitCode.ok };
      throw error;
    }
  }
}

async function readMonitor(address: string, { token }: TopFlags, signal: AbortSignal): Promise<MonitorState> {
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new UsageError('The monitor is an address like http://localhost:3000/monitoring.');
  const sent = token ?? process.env['MILLPOND_MONITOR_TOKEN'];
  const response = await fetch(`${address.replace(/\/+$/, '')}/state`, {
    headers: sent === undefined ? {} : { authorization: `Bearer ${sent}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  }).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw new ConnectionError(`Nothing answers at ${new URL(address).origin}. Is the service running?`, {
      cause,
    });
  });
  if (response.status === 401 || response.status === 403)
    throw new UsageError('The monitor refused: pass its token with --token, or in MILLPOND_MONITOR_TOKEN.');
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || !type.startsWith('application/json'))
    throw new UsageError(`There is no monitor at ${address}: it answered with ${response.status}.`);
  return (await response.json()) as MonitorState;
}

/** Counters are shown as what they grew by in a second, where there was a look before. */
export function showState(state: MonitorState, before: MonitorState | undefined, count: number): string {
  const seconds = before === undefined ? undefined : Math.max(1, state.at - before.at) / 1_000;
  const { eventLoop } = state;
  const loop = `event loop: ${Math.round(eventLoop.utilization * 100)} % busy, p99 ${ms(eventLoop.p99Ms)} ms`;
  const databases = state.databases.map((database) => {
    const earlier = before?.databases.find(({ name }) => name === database.name);
    return databaseRow(database, earlier, seconds);
  });
  const running = state.databases.flatMap(({ name, running: transactions }) =>
    transactions.map((one) => [
      name,
      one.id,
      one.name,
      one.readOnly ? 'reads' : 'writes',
      ms(one.ageMs),
      one.statements,
    ]),
  );
  const statements = state.statements.slice(0, count).map((one) => {
    const earlier = before?.statements.find(({ id, database }) => id === one.id && database === one.database);
    const calls = rate(one.count, earlier?.count, seconds);
    return [
      one.name ?? one.text,
      calls,
      ms(one.totalMs),
      ms(one.averageMs),
      ms(one.p95Ms),
      one.rows,
      one.errors,
    ];
  });
  const unit = seconds === undefined ? '' : '/s';
  return [
    loop,
    '',
    textTable(
      ['database', 'up', `queries${unit}`, `commits${unit}`, 'leased', 'idle', 'waiting', 'open'],
      databases,
    ),
    ...(running.length === 0
      ? []
      : ['', textTable(['transaction of', 'id', 'name', '', 'ms', 'statements'], running)]),
    '',
    textTable(['statement', `calls${unit}`, 'total ms', 'average', 'p95', 'rows', 'errors'], statements),
  ].join('\n');
}

function databaseRow(
  database: DatabaseState,
  before: DatabaseState | undefined,
  seconds: number | undefined,
): unknown[] {
  const { name, isUp, stats } = database;
  const { pool, queries, transactions } = stats;
  return [
    name,
    isUp ? 'yes' : 'NO',
    rate(queries.count, before?.stats.queries.count, seconds),
    rate(transactions.committed, before?.stats.transactions.committed, seconds),
    pool.leased,
    pool.idle,
    pool.waiting,
    transactions.active,
  ];
}

function rate(now: number, before: number | undefined, seconds: number | undefined): number {
  if (before === undefined || seconds === undefined) return now;
  // Below zero after a reset of the counters.
  return Math.max(0, Math.round((now - before) / seconds));
}

function ms(value: number): number {
  return Math.round(value * 10) / 10;
}
