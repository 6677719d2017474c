import { Client } from 'pg';
import type { Metrics } from '../harness/meter.ts';
import type { SqlPeer } from '../peers/index.ts';
import { answerWith, type CellAnswer } from '../run/cell.ts';
import { transactions } from '../works/transactions.ts';
import { CONNECTIONS, loadServerPeer } from './peers/index.ts';
import { SERVER_SETTINGS, type ServerTask } from './server-task.ts';
import { POSTGRES_WORKS } from './works.ts';

const OPEN_CONNECTIONS = `select count(*)::int from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend'`;

const task = JSON.parse(process.argv[2]!) as ServerTask;
await answerWith(() => answerOf(task));

async function answerOf({ work: name, peer: peerName, url, ...rest }: ServerTask): Promise<CellAnswer> {
  // Loaded before the work begins: a module's loading time is nobody's speed.
  const open = await loadServerPeer(peerName);
  if (name === 'inspect') return { kind: 'inspection', settings: await settingsOf(await open(url)) };
  let connections = 0;
  const openSql = async (): Promise<SqlPeer> => {
    const peer = await open(url, { transactions: name === transactions.name });
    const close = async (): Promise<void> => {
      connections = Number(await peer.value(OPEN_CONNECTIONS));
      await peer.close();
    };
    return { ...peer, close };
  };
  const metrics: Metrics = await POSTGRES_WORKS.find((work) => work.name === name)!.run({
    ...rest,
    scanRows: 0,
    file: url,
    openSql,
    openPool: () => Promise.reject(new TypeError('No work on a server measures a pool by itself.')),
    storedNumber: (text) => numberOnServer(url, text),
    synchronousPeer: false,
  });
  if (connections > CONNECTIONS)
    throw new RangeError(`${peerName} had ${connections} connections open; ${CONNECTIONS} is fair.`);
  return { kind: 'metrics', metrics: { ...metrics, connections } };
}

async function settingsOf(peer: SqlPeer): Promise<Record<string, unknown>> {
  const settings: Record<string, unknown> = {};
  for (const setting of SERVER_SETTINGS) settings[setting] = await peer.value(`show ${setting}`);
  await peer.close();
  return settings;
}

async function numberOnServer(url: string, text: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return Number(Object.values(rows[0]!)[0]);
  } finally {
    await client.end();
  }
}
