/**
 * Runs the storage faults at any size: `node test/fault/storage/main.ts [name…] [--count n | --scale n]
 * [--seed n]`. Without a name it runs all that need no superuser. Prints one line of figures each; ends with
 * 1 when a promise was broken.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Extent, Outcome } from './experiment.ts';
import { damageFiles } from './damaged-file.ts';
import { failSyncs, failWrites } from './failing-disk.ts';
import { fillDisk } from './full-disk.ts';
import { killAtPoints } from './kill-points.ts';
import { killWriters } from './kill.ts';
import { damageLog } from './log-tail.ts';
import { measureLog } from './long-log.ts';
import { cutPower, takeDisk } from './power-cut.ts';
import { runProcesses } from './processes.ts';

interface Entry {
  readonly run: (extent: Extent) => Promise<Outcome>;
  /** About as the tests run it; `--scale` multiplies it. */
  readonly count: number;
  /** Only run when it is named: it needs the superuser. */
  readonly isSpecial?: boolean;
}

const EXPERIMENTS: Readonly<Record<string, Entry>> = {
  kill: { run: killWriters, count: 15 },
  'kill-points': { run: killAtPoints, count: 12 },
  'full-disk': { run: fillDisk, count: 4, isSpecial: true },
  processes: { run: runProcesses, count: 3_000 },
  'log-tail': { run: damageLog, count: 12 },
  'long-log': { run: measureLog, count: 16 },
  'damaged-file': { run: damageFiles, count: 40 },
  'failing-syncs': { run: failSyncs, count: 8 },
  'failing-writes': { run: failWrites, count: 10 },
  'power-cut': { run: cutPower, count: 8, isSpecial: true },
  'disk-gone': { run: takeDisk, count: 8, isSpecial: true },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string' }, scale: { type: 'string' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.trunc(Math.random() * 2 ** 31));
const common = Object.keys(EXPERIMENTS).filter((name) => EXPERIMENTS[name]!.isSpecial !== true);
const names = positionals.length === 0 ? common : positionals;
const unknown = names.filter((name) => EXPERIMENTS[name] === undefined);
if (unknown.length > 0) {
  console.error(
    `No experiment is named ${unknown.join(', ')}. There are: ${Object.keys(EXPERIMENTS).join(', ')}.`,
  );
  process.exit(1);
}
console.log(
  `Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}, seed ${seed}`,
);
for (const name of names) {
  const entry = EXPERIMENTS[name]!;
  const count = Number(values.count ?? entry.count * Number(values.scale ?? 1));
  const startedAt = performance.now();
  const { counts, broken } = await entry.run({ count, seed });
  const figures = Object.entries(counts).map(([key, value]) => `${key} ${value}`);
  console.log(
    `${name}: ${figures.join(', ')}; broken ${broken.length}; ${Math.round((performance.now() - startedAt) / 1_000)} s`,
  );
  for (const sentence of broken) console.log(`  BROKEN ${sentence}`);
  if (broken.length > 0) process.exitCode = 1;
}
