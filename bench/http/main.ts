import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import { Random } from '../harness/random.ts';
import { medianOf, spreadOf } from '../harness/statistics.ts';

/*
 * What the middleware of `createServer` costs over a bare Hono application, and what metrics and a monitor
 * cost a service: `node bench/http/main.ts`. The servers of a comparison are asked in turns, for a tenth of a
 * second each: a machine's speed changes more from one second to the next than what is compared. Each turn is
 * compared with that of the first server beside it. Their order is drawn anew each time: in a fixed one, four
 * servers that are the same differed by 6 %, for one cleans up what those before it have left.
 *
 * Every round has new processes, for the compiler of each makes its own decisions: the same server takes up
 * to 15 % more or less in another one. That is more than a monitor costs, so the services with and without
 * one share a process; they have all their code in common. Bare Hono has a process of its own.
 */

interface Comparison {
  readonly path: string;
  /** The others are compared with the first. */
  readonly kinds: readonly string[];
  readonly isOneProcess: boolean;
}

interface Turn {
  /** Of all threads of the server. */
  readonly cpuUs: number;
  readonly perSecond: number;
}

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
  readonly turns: Turn[];
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    turns: { type: 'string', default: '40' },
    only: { type: 'string', default: '' },
  },
});
const MIDDLEWARE = ['bare Hono', 'createServer()', 'createServer() with everything'];
const SERVICES = ['a service', 'the same again', 'a service with metrics', 'a service with a monitor'];
const COMPARISONS: readonly Comparison[] = [
  { path: '/users/7', kinds: MIDDLEWARE, isOneProcess: false },
  { path: '/users', kinds: MIDDLEWARE, isOneProcess: false },
  { path: '/notes/1', kinds: SERVICES, isOneProcess: true },
  { path: '/notes', kinds: SERVICES, isOneProcess: true },
].filter(({ path }) => path.startsWith(values.only));
const CONNECTIONS = 20;
const random = new Random(7);
const WARM_UP_TURNS = 30;
const REQUESTS = 2_500;
/** Autocannon ends with one of its ticks. */
const TICK_MS = 5;

for (const comparison of COMPARISONS) await compare(comparison);

async function compare(comparison: Comparison): Promise<void> {
  const { path, kinds } = comparison;
  const rounds: (readonly Server[])[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await runRound(comparison));
  for (const [index, kind] of kinds.entries()) {
    const of = rounds.map((servers) => ({ turns: servers[index]!.turns, first: servers[0]!.turns }));
    const cpuUs = medianOf(of.map(({ turns }) => medianOf(turns.map((turn) => turn.cpuUs))));
    const perSecond = medianOf(of.map(({ turns }) => medianOf(turns.map((turn) => turn.perSecond))));
    const said = `${path}  ${kind}: ${cpuUs.toFixed(1)} µs CPU a request, ${Math.round(perSecond)}/s`;
    console.log(
      index === 0 ? said : `${said}; CPU ${spread(of, 'cpuUs')}, throughput ${spread(of, 'perSecond')}`,
    );
  }
}

async function runRound({ path, kinds, isOneProcess }: Comparison): Promise<readonly Server[]> {
  const servers: Server[] = [];
  try {
    const processes = isOneProcess ? [kinds] : kinds.map((kind) => [kind]);
    for (const together of processes) servers.push(...(await start(together, path)));
    for (let turn = 0; turn < WARM_UP_TURNS; turn += 1) for (const server of servers) await ask(server);
    for (const { turns } of servers) turns.length = 0;
    for (let turn = 0; turn < Number(values.turns); turn += 1) {
      for (const server of shuffled(servers)) await ask(server);
    }
    return servers;
  } finally {
    await Promise.all(servers.map(stop));
  }
}

async function start(kinds: readonly string[], path: string): Promise<readonly Server[]> {
  const child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), kinds);
  const failed = once(child, 'exit').then(() => Promise.reject(new Error('The server did not start.')));
  const [ports] = (await Promise.race([once(child, 'message'), failed])) as [readonly number[]];
  failed.catch(() => undefined);
  return ports.map((port) => ({ child, url: `http://127.0.0.1:${port}${path}`, turns: [] }));
}

async function stop({ child }: Server): Promise<void> {
  if (!child.connected) return;
  child.disconnect();
  await once(child, 'exit');
}

async function ask({ child, url, turns }: Server): Promise<void> {
  const headers = { 'accept-encoding': 'gzip, br', origin: 'https://app.example.com' };
  const before = await cpuOf(child);
  const startedAt = performance.now();
  const load = { url, amount: REQUESTS, connections: CONNECTIONS, headers, sampleInt: TICK_MS };
  const { '2xx': answered } = await autocannon(load);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (answered !== REQUESTS) throw new Error(`${url} answered ${answered} of ${REQUESTS} requests with 2xx.`);
  turns.push({ cpuUs: ((await cpuOf(child)) - before) / REQUESTS, perSecond: REQUESTS / seconds });
}

async function cpuOf(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message') as Promise<[number]>;
  child.send('cpu');
  return (await answer)[0];
}

/** The median of all turns, and that of the least and the greatest round. */
function spread(
  rounds: readonly { readonly turns: readonly Turn[]; readonly first: readonly Turn[] }[],
  what: keyof Turn,
): string {
  const ratios = rounds.map(({ turns, first }) => turns.map((turn, at) => turn[what] / first[at]![what]));
  const { min, max } = spreadOf(ratios.map(medianOf));
  return `${percent(medianOf(ratios.flat()))} (${percent(min)} … ${percent(max)})`;
}

function percent(ratio: number): string {
  const more = ((ratio - 1) * 100).toFixed(1);
  return ratio < 1 ? `${more} %` : `+${more} %`;
}

function shuffled<T>(all: readonly T[]): T[] {
  const left = [...all];
  return all.map(() => left.splice(random.below(left.length), 1)[0]!);
}
