import { join } from 'node:path';
import { CITIES_FILE, copyDatabase, createRunFolder } from './dataset/data-folder.ts';
import { LoadProcess } from './load/load-process.ts';
import type { Moment } from './load/protocol.ts';
import { toFigures, type Round } from './measure/figures.ts';
import { countCheckIns, readFacts, type Facts } from './measure/plain-reads.ts';
import { runRound, WARM_UP_MS } from './measure/run-round.ts';
import { toComparison } from './report/comparison.ts';
import { toIntroduction } from './report/introduction.ts';
import { toCount, toText } from './report/numbers.ts';
import { paint } from './report/paint.ts';
import { startProgress } from './report/progress.ts';
import { AfterStore } from './service/after-store.ts';
import { BeforeStore } from './service/before-store.ts';
import type { Store } from './service/store.ts';

const ROUNDS = 3;

/** One of the two ways to use SQLite, on its own copy of the data. */
interface Version {
  readonly name: 'before' | 'after';
  readonly path: string;
  readonly openStore: () => Promise<Store>;
  readonly rounds: Round[];
}

/** Measures both versions in turns and prints them side by side. Resolves with whether nothing went wrong. */
export async function compare(seconds: number, signal: AbortSignal): Promise<boolean> {
  using folder = createRunFolder();
  const facts = readFacts(CITIES_FILE);
  const versions = createVersions(folder.path);
  for (const line of toIntroduction(facts, { rounds: ROUNDS, seconds })) console.log(line);
  const client = new LoadProcess();
  try {
    for (let round = 1; round <= ROUNDS; round += 1) {
      // The one that goes first changes, so that neither always meets the warmer machine.
      for (const version of round % 2 === 1 ? versions : versions.toReversed()) {
        version.rounds.push(await measure({ version, round, facts, client, seconds, signal }));
      }
    }
  } finally {
    await client.close();
  }
  return conclude(versions);
}

function createVersions(folder: string): readonly [Version, Version] {
  const before = join(folder, 'before.db');
  const after = join(folder, 'after.db');
  copyDatabase(CITIES_FILE, before);
  copyDatabase(CITIES_FILE, after);
  return [
    { name: 'before', path: before, openStore: async () => new BeforeStore(before), rounds: [] },
    { name: 'after', path: after, openStore: () => AfterStore.open(after), rounds: [] },
  ];
}

interface Turn {
  readonly version: Version;
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

function conclude(versions: readonly [Version, Version]): boolean {
  const [before, after] = versions.map(({ rounds }) => toFigures(rounds));
  if (before === undefined || after === undefined) throw new Error('BUG: a version was not measured');
  console.log(['', ...toComparison({ before, after }), ''].join('\n'));
  const allFound = versions.map((version) => verify(version)).every(Boolean);
  console.log('');
  return allFound;
}

/** Looks for every acknowledged check-in with a connection that had no part in writing it. */
function verify({ name, path, rounds }: Version): boolean {
  const { acknowledged, failures, firstFailure } = toFigures(rounds);
  const found = countCheckIns(path, acknowledged);
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
