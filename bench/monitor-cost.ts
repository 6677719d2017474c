/**
 * What metrics and a monitor cost an HTTP service: the same service with and without, in turns, each time in a
 * process of its own. Shown are requests per second and the time of the main thread for each request: that
 * bounds the throughput of a service on an idle machine, and holds still on a busy one, where throughput does
 * not. `node bench/monitor-cost.ts [seconds] [rounds]`
 */
import { serve } from '@hono/node-server';
import autocannon from 'autocannon';
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../src/hono/index.ts';
import { openDatabase } from '../src/index.ts';
import { Metrics } from '../src/metrics/index.ts';
import { createMonitor } from '../src/monitor/index.ts';

const [seconds = 3, rounds = 5] = process.argv.slice(2).map(Number);
const CONNECTIONS = 32;
const ROWS = 1_000;

/** The service: a read, answered as JSON. Sends its port to whoever started it. */
async function runService(isMonitored: boolean): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millpond-monitor-cost-'));
  const db = await openDatabase({ url: `sqlite:${join(folder, 'app.db')}`, log: 'silent' });
  await db.script(`create table notes (id integer primary key, title text);
    with recursive n(v) as (select 1 union all select v + 1 from n where v < ${ROWS})
    insert into notes select v, 'note ' || v from n;`);
  const metrics = isMonitored ? new Metrics() : undefined;
  const app = createServer({ environment: {}, log: 'silent', metrics });
  const monitor = metrics && createMonitor({ databases: [db], metrics, token: 'only for this measurement' });
  let id = 0;
  app.get('/notes/:id', async (context) => {
    id = (id % ROWS) + 1;
    return context.json((await db.get('select * from notes where id = ?', [id])) ?? null);
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }: AddressInfo) =>
    process.send!(port),
  );
  process.on('message', (asked) => {
    const { user, system } = process.threadCpuUsage();
    if (asked === 'cpu') return void process.send!(user + system);
    monitor?.close();
    server.close(() => void db.close().then(() => rmSync(folder, { recursive: true }), undefined));
    process.disconnect();
  });
}

interface Figures {
  readonly perSecond: number;
  readonly microsEach: number;
}

async function measure(isMonitored: boolean): Promise<Figures> {
  const service = fork(import.meta.filename, [isMonitored ? 'monitored' : 'bare']);
  const answer = () =>
    new Promise<number>((resolve) => void service.once('message', (value) => resolve(Number(value))));
  const cpu = () => {
    service.send('cpu');
    return answer();
  };
  try {
    const url = `http://127.0.0.1:${await answer()}/notes/1`;
    await autocannon({ url, connections: CONNECTIONS, duration: 1 });
    const before = await cpu();
    const { requests } = await autocannon({ url, connections: CONNECTIONS, duration: seconds });
    return {
      perSecond: requests.average,
      microsEach: ((await cpu()) - before) / (requests.average * seconds),
    };
  } finally {
    service.send('stop');
    setTimeout(() => service.kill(), 2_000).unref();
  }
}

async function compare(): Promise<void> {
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    // Another one begins each time, so that what warms up or slows down meanwhile favours none.
    const order = round % 2 === 0 ? [false, true] : [true, false];
    const figures = new Map<boolean, Figures>();
    for (const isMonitored of order) figures.set(isMonitored, await measure(isMonitored));
    const [bare, monitored] = [figures.get(false)!, figures.get(true)!];
    costs.push((1 - bare.microsEach / monitored.microsEach) * 100);
    console.log(`round ${round + 1}: ${line('bare', bare)}; ${line('monitored', monitored)}`);
  }
  const [sorted, middle] = [costs.toSorted((a, b) => a - b), costs.length >> 1];
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  console.log(`cost of throughput at one core: median ${sorted[middle]!.toFixed(1)} %`);
  console.log(`over ${rounds} rounds from ${least.toFixed(1)} % to ${most.toFixed(1)} %`);
}

function line(name: string, { perSecond, microsEach }: Figures): string {
  return `${name} ${Math.round(perSecond)}/s, ${microsEach.toFixed(1)} µs each`;
}

const role = process.argv[2];
if (role === 'monitored' || role === 'bare') await runService(role === 'monitored');
else await compare();
