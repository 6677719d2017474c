import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import type { Usage } from './server.ts';

/*
 * What the middleware of `createServer` costs over a bare Hono application: `node bench/http/main.ts`.
 * Each round runs every server, in a process of its own and in turn. The CPU time of the server's process for one
 * request says more on a busy machine than requests per second, which what else runs there takes away.
 */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' } },
});
const SERVER = fileURLToPath(new URL('./server.ts', import.meta.url));
const KINDS = ['bare Hono', 'createServer()', 'createServer() with everything'];
const PATHS = ['/users/7', '/users'];
const CONNECTIONS = 20;
const WARM_UP_S = 3;

interface Figure {
  readonly cpuUs: number;
  readonly perSecond: number;
}

const figures = new Map<string, Figure[]>();
for (let round = 0; round < Number(values.rounds); round += 1) {
  for (const kind of KINDS) await measure(kind);
}
report();

async function measure(kind: string): Promise<void> {
  const child = fork(SERVER, [kind]);
  try {
    const port = await portOf(child);
    for (const path of PATHS) {
      const url = `http://127.0.0.1:${port}${path}`;
      await load(url, WARM_UP_S);
      await usageOf(child);
      const perSecond = await load(url, Number(values.seconds));
      const { requests, cpuUs } = await usageOf(child);
      const key = `${path} ${kind}`;
      figures.set(key, [...(figures.get(key) ?? []), { cpuUs: cpuUs / requests, perSecond }]);
    }
  } finally {
    if (child.connected) {
      child.disconnect();
      await once(child, 'exit');
    }
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('The server did not start.')));
  const [port] = (await Promise.race([once(child, 'message'), failed])) as [number];
  failed.catch(() => undefined);
  return port;
}

async function load(url: string, duration: number): Promise<number> {
  const headers = { 'accept-encoding': 'gzip, br', origin: 'https://app.example.com' };
  const { requests } = await autocannon({ url, duration, connections: CONNECTIONS, headers });
  return requests.average;
}

async function usageOf(child: ChildProcess): Promise<Usage> {
  const answer = once(child, 'message');
  child.send('usage');
  const [usage] = (await answer) as [Usage];
  return usage;
}

function report(): void {
  for (const path of PATHS) {
    const bare = median(figures.get(`${path} ${KINDS[0]!}`)!, 'cpuUs');
    for (const kind of KINDS) {
      const all = figures.get(`${path} ${kind}`)!;
      const cpuUs = median(all, 'cpuUs');
      const [least, most] = [Math.min, Math.max].map((of) => of(...all.map((one) => one.cpuUs)).toFixed(1));
      const more = `${(100 * (cpuUs / bare - 1)).toFixed(0)} %`;
      const perSecond = median(all, 'perSecond').toFixed(0);
      console.log(
        `${path}  ${kind}: ${cpuUs.toFixed(1)} µs CPU a request (${least} … ${most}), +${more}; ${perSecond}/s`,
      );
    }
  }
}

function median(all: readonly Figure[], what: keyof Figure): number {
  const sorted = all.map((one) => one[what]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
