import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHECKS, GOALS } from '../goals.ts';
import { Seeds } from '../harness/seed.ts';
import type { PeerName, Synchronous } from '../peers/index.ts';
import { WORKS } from '../works/index.ts';
import { calibrateScan } from './calibrate.ts';
import { runCell, type CellAnswer, type CellTask } from './cell.ts';
import { verdictOf, type Verdict } from './compare.ts';
import { inspectPeers, type Inspection } from './inspect.ts';
import { describeMachine, type Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import { chosenWorks, planCells, type PlannedCell } from './plan.ts';
import { Results } from './results.ts';

const PACKAGES = ['better-sqlite3', 'libsql', 'drizzle-orm', 'kysely', 'tarn', 'generic-pool'];
const CHILD = new URL('./child.ts', import.meta.url);

export interface Bench {
  /** The script of package.json that makes such a run. */
  readonly command: string;
  readonly options: BenchOptions;
  readonly machine: Machine;
  readonly inspection: Inspection;
  readonly results: Results;
  readonly verdicts: readonly Verdict[];
  readonly checks: readonly Verdict[];
  readonly startedAt: Date;
  readonly tookMs: number;
}

/** Told before each cell, for whoever watches. */
export type Progress = (done: number, total: number, next: PlannedCell) => void;

/** Runs everything that was asked for, one process at a time, and gives the verdicts. */
export async function runBench(options: BenchOptions, onProgress: Progress): Promise<Bench> {
  const startedAt = new Date();
  const cells = planCells(chosenWorks(WORKS, options), options);
  const directory = mkdtempSync(join(options.directory, 'millpond-bench-'));
  try {
    const machine = describeMachine(directory, PACKAGES);
    const runner = new Runner(options, new Seeds(directory));
    const inspection = await inspectPeers(sqlPeersOf(cells), (...of) => runner.inspect(...of));
    const results = await runCells(cells, (cell) => runner.run(cell), onProgress);
    return {
      command: 'bench',
      options,
      machine,
      inspection,
      results,
      verdicts: GOALS.map((goal) => verdictOf(goal, results)),
      checks: CHECKS.map((check) => verdictOf(check, results)),
      startedAt,
      tookMs: Date.now() - startedAt.getTime(),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One cell after the other. */
export async function runCells(
  cells: readonly PlannedCell[],
  run: (cell: PlannedCell) => Promise<CellAnswer>,
  onProgress: Progress,
): Promise<Results> {
  const results = new Results();
  for (const [done, cell] of cells.entries()) {
    onProgress(done, cells.length, cell);
    const answer = await run(cell);
    results.record(cell, answer.kind === 'metrics' ? answer.metrics : messageOf(answer));
  }
  return results;
}

/** Starts one cell's process after the other, each on a fresh copy of its seed. */
class Runner {
  readonly #options: BenchOptions;
  readonly #seeds: Seeds;
  readonly #scanRows: number;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(options: BenchOptions, seeds: Seeds) {
    this.#options = options;
    this.#seeds = seeds;
    this.#scanRows = calibrateScan(seeds.template('items'));
    // Nothing else of the caller's environment: a DB_POOL_MAX or NODE_OPTIONS left there would be part of the figures.
    this.#environment = { PATH: process.env['PATH'], BENCH_SOURCE: options.dist ? 'dist' : 'src' };
  }

  async run({ work, step, peer }: PlannedCell): Promise<CellAnswer> {
    const { name, seed, synchronous } = work;
    const file = await this.#seeds.freshCopy(seed);
    return this.#start({ work: name, step: step.value, peer, synchronous, file });
  }

  async inspect(peer: PeerName, synchronous: Synchronous): Promise<CellAnswer> {
    const file = await this.#seeds.freshCopy('items');
    return this.#start({ work: 'inspect', step: 0, peer, synchronous, file });
  }

  #start(cell: { work: string; step: number; peer: PeerName; synchronous: Synchronous; file: string }) {
    const { warmUpMs, measureMs } = this.#options;
    return runCell<CellTask>(
      { ...cell, warmUpMs, measureMs, scanRows: this.#scanRows },
      // Away from the repository: no configuration file may be found by looking around.
      { program: CHILD, environment: this.#environment, directory: dirname(cell.file) },
    );
  }
}

function sqlPeersOf(cells: readonly PlannedCell[]): PeerName[] {
  return [...new Set(cells.filter(({ work }) => work.seed !== 'none').map(({ peer }) => peer))];
}

function messageOf(answer: CellAnswer): string {
  return answer.kind === 'failure' ? answer.message : `answered with ${answer.kind}`;
}
