import { cpSync, existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, ONE_CONNECTION } from './child.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Ledger } from './ledger.ts';
import { readContent, type Content } from './parts.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { between } from './random.ts';
import { Scratch } from './scratch.ts';

/**
 * Later kills on the same file also test what earlier recoveries made of it; but its check takes longer each
 * time.
 */
const KILLS_PER_FILE = 20;
const MAX_WAIT_MS = 40;

/** When the child is killed: while it works, while it opens what the last kill left, while it closes. */
type Moment = 'working' | 'opening' | 'closing';
const MOMENTS: readonly Moment[] = ['working', 'working', 'working', 'opening', 'closing'];

interface Kill {
  /** What the operations of its process are called. */
  readonly name: string;
  readonly moment: Moment;
  readonly random: () => number;
  readonly ledger: Ledger;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * C01: kills a writing process at a random moment, again and again, and looks at what is left: every write
 * that was told to be committed is there, none that was refused is, and no operation is there in part.
 */
export async function killWriters({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  for (let done = 0; done < count; done += KILLS_PER_FILE) {
    using scratch = new Scratch();
    const ledger = new Ledger();
    for (let kill = done; kill < Math.min(count, done + KILLS_PER_FILE); kill += 1) {
      const moment = MOMENTS[kill % MOMENTS.length]!;
      // Every fourth with one connection, on the same file.
      const env = kill % 4 === 3 ? ONE_CONNECTION : {};
      await killOnce(scratch.file('app.db'), { name: `k${kill}`, moment, random, ledger, env });
      check(`kill ${kill} (${moment})`, inspect(scratch), ledger, findings);
      findings.add('kills');
      findings.add(`killsWhile_${moment}`);
    }
    ledger.report(findings);
  }
  return findings.outcome();
}

async function killOnce(path: string, { name, moment, random, ledger, env }: Kill): Promise<void> {
  const closeAfterMs = moment === 'closing' ? String(between(random, 0, MAX_WAIT_MS)) : 'never';
  const begun = Promise.withResolvers<void>();
  const child = new Child('write-until-killed', [path, name, closeAfterMs], {
    isCovered: false,
    env,
    onLine: (line) => {
      ledger.take(line);
      if (line.startsWith('committed')) begun.resolve();
    },
  });
  await Promise.race([moment === 'opening' ? child.ready : begun.promise, child.ended]);
  await sleep(random() * MAX_WAIT_MS * (moment === 'working' ? 1 : 2));
  child.kill();
  const { signal, stderr } = await child.ended;
  if (signal !== 'SIGKILL' && moment !== 'closing')
    throw new Error(`the child ended before it was killed: ${stderr}`);
}

/** Reads a copy, so that the next child finds the file as the kill left it. */
function inspect(scratch: Scratch): Content | undefined {
  const copy = scratch.file('copy.db');
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    const from = `${scratch.file('app.db')}${suffix}`;
    if (existsSync(from)) cpSync(from, `${copy}${suffix}`);
  }
  const database = new DatabaseSync(copy);
  try {
    const isNew = database.prepare("select 1 from sqlite_schema where name = 'parts'").get() === undefined;
    return isNew ? undefined : readContent(database);
  } finally {
    // Closing takes away the copy's log: nothing of it is left for the next copy.
    database.close();
  }
}

function check(when: string, content: Content | undefined, ledger: Ledger, findings: Findings): void {
  if (content !== undefined) {
    ledger.check(when, content, findings);
    findings.most('committedButUnanswered', [...content.whole].filter((op) => !ledger.told.has(op)).length);
  } else if (ledger.told.size > 0) {
    findings.break(`${when}: the table is gone, and with it ${ledger.told.size} operations`);
  }
}
