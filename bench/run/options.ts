import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

/** How a run is made; everything a flag can change. */
export interface BenchOptions {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly quick: boolean;
  /** Parts of names of works; none means all. */
  readonly only: readonly string[];
  /** Parts of names of peers; none means all. */
  readonly peers: readonly string[];
  readonly json: boolean;
  readonly write: boolean;
  readonly dist: boolean;
  readonly directory: string;
}

/** @param results - the file that `--write` writes */
export function usageOf(program: string, results: string): string {
  return `node ${program} [options]
  --quick           2 rounds of short measurements: about 3 minutes, good for a look
  --only a,b        only works whose name contains one of these
  --peers a,b       only peers whose name contains one of these (millpond always runs)
  --rounds n        rounds per work (default 5, with --quick 2)
  --dir path        where the database files go (default: the system's temporary directory; must be a real disk)
  --dist            measure dist/ instead of src/
  --json            print the results as JSON
  --write           write the results to bench/${results}`;
}

const FLAGS = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true },
  peers: { type: 'string', multiple: true },
  rounds: { type: 'string' },
  dir: { type: 'string', default: tmpdir() },
  dist: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** @returns nothing where only help was asked for. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  if (values.help) return undefined;
  const rounds = Number(values.rounds ?? (values.quick ? 2 : 5));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new RangeError(`--rounds ${values.rounds}: give a whole number.`);
  return {
    rounds,
    warmUpMs: values.quick ? 120 : 300,
    measureMs: values.quick ? 250 : 700,
    quick: values.quick,
    only: listOf(values.only),
    peers: listOf(values.peers),
    json: values.json,
    write: values.write,
    dist: values.dist,
    directory: values.dir,
  };
}

function listOf(given: readonly string[] = []): string[] {
  return given.flatMap((part) => part.split(',')).filter((part) => part !== '');
}
