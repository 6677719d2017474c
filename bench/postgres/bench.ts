import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '../../test/servers/postgres.ts';
import type { PeerName } from '../peers/index.ts';
import { runCells, type Bench, type Progress } from '../run/bench.ts';
import { runCell, type CellAnswer, type Task } from '../run/cell.ts';
import { verdictOf } from '../run/compare.ts';
import type { Inspection } from '../run/inspect.ts';
import { describeMachine } from '../run/machine.ts';
import type { BenchOptions } from '../run/options.ts';
import { chosenWorks, planCells } from '../run/plan.ts';
import { POSTGRES_GOALS } from './goals.ts';
import type { ServerTask } from './server-task.ts';
import { startAfresh, startSeededServer } from './server.ts';
import { POSTGRES_WORKS } from './works.ts';

const PACKAGES = ['pg', 'postgres'];
const CHILD = new URL('./child.ts', import.meta.url);

/** As the benchmark of SQLite, on a PostgreSQL of its own. */
export async function runPostgresBench(options: BenchOptions, onProgress: Progress): Promise<Bench> {
  const startedAt = new Date();
  const cells = planCells(chosenWorks(POSTGRES_WORKS, options), options);
  const directory = mkdtempSync(join(options.directory, 'millpond-bench-'));
  // Where the server puts its data.
  process.env['TMPDIR'] = options.directory;
  let server: PostgresServer | undefined;
  try {
    const machine = describeMachine(directory, PACKAGES);
    server = await startSeededServer();
    const runner = new Runner(options, { server, directory });
    const inspection = await inspect([...new Set(cells.map(({ peer }) => peer))], runner);
    const results = await runCells(
      cells,
      ({ work, step, peer }) => runner.run({ work: work.name, step: step.value, peer }),
      onProgress,
    );
    return {
      command: 'bench:postgres',
      options,
      machine,
      inspection,
      results,
      verdicts: POSTGRES_GOALS.map((goal) => verdictOf(goal, results)),
      checks: [],
      startedAt,
      tookMs: Date.now() - startedAt.getTime(),
    };
  } finally {
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Starts one cell's process after the other, each on the tables as they were seeded. */
class Runner {
  readonly #options: BenchOptions;
  readonly #place: { readonly server: PostgresServer; readonly directory: string };

  constructor(options: BenchOptions, place: { readonly server: PostgresServer; readonly directory: string }) {
    this.#options = options;
    this.#place = place;
  }

  async run(cell: Pick<Task, 'work' | 'step' | 'peer'>): Promise<CellAnswer> {
    const { warmUpMs, measureMs, dist } = this.#options;
    const { server, directory } = this.#place;
    await startAfresh(server);
    // Nothing else of the caller's environment: a PGOPTIONS or DB_POOL_MAX left there would be part of the figures.
    const environment = { PATH: process.env['PATH'], BENCH_SOURCE: dist ? 'dist' : 'src' };
    const task = { ...cell, warmUpMs, measureMs, url: server.url };
    return runCell<ServerTask>(task, { program: CHILD, environment, directory });
  }
}

/** Asks through every peer how its sessions are set: what differs from the others' is said. */
async function inspect(peers: readonly PeerName[], runner: Runner): Promise<Inspection> {
  const found = new Map<string, PeerName[]>();
  for (const peer of peers) {
    const answer = await runner.run({ work: 'inspect', step: 0, peer });
    const settings = answer.kind === 'inspection' ? described(answer.settings) : 'not inspected';
    found.set(settings, [...(found.get(settings) ?? []), peer]);
  }
  const [server, ...others] = [...found];
  const differences = others.map(([settings, names]) => `${names.join(', ')}: ${settings}`);
  return { server: server![0], sqliteVersions: {}, differences };
}

function described({ server_version: version, ...settings }: Readonly<Record<string, unknown>>): string {
  const all = Object.entries(settings).map(([name, value]) => `${name} = ${String(value)}`);
  return [`PostgreSQL ${String(version)}`, ...all].join(', ');
}
