import type { Facts, Labels, Version } from './arena/arena.ts';
import { openPostgresArena } from './arena/postgres-arena.ts';
import { openSqliteArena } from './arena/sqlite-arena.ts';
import { LoadProcess } from './load/load-process.ts';
import type { Moment } from './load/protocol.ts';
import { toFigures, type Round } from './measure/figures.ts';
import { runRound, WARM_UP_MS } from './measure/run-round.ts';
import { toComparison } from './report/comparison.ts';
import { toIntroduction } from './report/introduction.ts';
import { toCount, toText } from './report/numbers.ts';
import { paint } from './report/paint.ts';
import { startProgress } from './report/progress.ts';
import { toServices } from './report/services.ts';
import { measureServices } from './whole/measure-services.ts';
import type { Dialect } from './plain/sql-texts.ts';

const ROUNDS = 3;
/** Of a whole service: its cache begins empty. */
const LEAST_MEASURED_MS = 3000;

/** Measured on it, round by round. */
type Measured = Version & { readonly rounds: Round[] };

/** Measures both versions in turns and prints them side by side. Resolves with whether nothing went wrong. */
export async function compare(
  { dialect, seconds }: { readonly dialect: Dialect; readonly seconds: number },
  signal: AbortSignal,
): Promise<boolean> {
  await using arena = await (dialect === 'postgres' ? openPostgresArena(signal) : openSqliteArena(signal));
  const { facts } = arena;
  const versions = arena.versions.map((version): Measured => ({ ...version, rounds: [] }));
  for (const line of toIntroduction(arena, { rounds: ROUNDS, seconds })) console.log(line);
  const client = new LoadProcess();
  let services;
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      // The one that goes first changes, so that neither always meets the warmer machine.
      for (const version of round % 2 === 1 ? versions : versions.toReversed()) {
        version.rounds.push(await measure({ version, round, facts, client, seconds, signal }));
      }
    }
    services = await measureServices({
      arena,
      client,
      measuredMs: Math.max(LEAST_MEASURED_MS, seconds * 500),
      signal,
    });
  } finally {
    await client.close();
  }
  // Awaited here: the arena goes when this function returns.
  const isComplete = await conclude(versions, arena.labels);
  console.log([...toServices(services, arena.labels.before), ''].join('\n'));
  return isComplete && services.naive.failures + services.full.failures === 0;
}

interface Turn {
  readonly version: Measured;
  readonly round: number;
  readonly facts: Facts;
  readonly client: LoadProcess;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

async function measure({ version, round, facts, client, seconds, signal }: Turn): Promise<Round> {
  const measuredMs = (seconds * 1000) / ROUNDS;
  const title = `round ${round} of ${ROUNDS}, ${version.name.padEnd(6)}`;
  const progress = startProgress(title, WARM_UP_MS + measuredMs);
  try {
    progress.update(0, 'ten slow requests at once');
    const onProgress = ({ elapsedMs, answered }: Moment): void =>
      progress.update(elapsedMs, `${toCount(answered)} requests answered`);
    const { openStore } = version;
    const done = await runRound({ openStore, client, facts, seed: round, measuredMs, signal, onProgress });
    progress.finish(`${title}  ${summarize(done)}`);
    return done;
  } finally {
    progress.clear();
  }
}

function summarize({ load, eventLoop }: Round): string {
  const rate = toText(load.requestsPerSecond).padStart(6);
  const waits = `p99 ${toText(load.latency.all.p99)} ms, longest stall ${toText(eventLoop.max)} ms`;
  return `${rate} requests/s, ${waits}`;
}

async function conclude(versions: readonly Measured[], { before: nameOfBefore }: Labels): Promise<boolean> {
  const [before, after] = versions.map(({ rounds }) => toFigures(rounds));
  if (before === undefined || after === undefined) throw new Error('BUG: a version was not measured');
  console.log(['', ...toComparison({ before, after }, nameOfBefore), ''].join('\n'));
  const found: boolean[] = [];
  for (const version of versions) found.push(await verify(version));
  console.log('');
  return found.every(Boolean);
}

/** Looks for every acknowledged check-in with a connection that had no part in writing it. */
async function verify({ name, countCheckIns, rounds }: Measured): Promise<boolean> {
  const { acknowledged, failures, firstFailure } = toFigures(rounds);
  const found = await countCheckIns(acknowledged);
  const complete = found === acknowledged.length;
  const mark = complete ? paint('green', '✓') : paint('red', '✗');
  const share = `${toCount(found)} of ${toCount(acknowledged.length)}`;
  console.log(`  ${mark} ${name}: ${share} acknowledged check-ins are in the table`);
  if (failures > 0) {
    const first = firstFailure ?? 'see the errors above';
    console.log(`  ${paint('red', '✗')} ${name}: failures: ${toCount(failures)}; the first: ${first}`);
  }
  return complete && failures === 0;
}
