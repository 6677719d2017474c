import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child, type ChildEnd } from './child.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Ledger } from './ledger.ts';
import { readContent, type Content } from './parts.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { Scratch } from './scratch.ts';

const SOURCE = fileURLToPath(new URL('power-cut.c', import.meta.url));
const IMAGE_BYTES = 64 * 1_024 ** 2;
const MAX_WAIT_MS = 300;

interface Cut {
  readonly cut: number;
  readonly durability: string;
  readonly waitMs: number;
  /** The disk is gone, and the process is left alive. */
  readonly isGone?: boolean;
}

/**
 * C03, C04: cuts the power of an ext4 file system of its own while a process writes, mounts it again, and looks
 * what is left. With `durability: 'full'` every acknowledged write must be there. Each fourth cut is made
 * under 'process': that some are lost there shows that a cut is one. Needs the superuser, ext4 and loop
 * devices.
 */
export async function cutPower({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  run('cc', ['-O2', '-o', scratch.file('power-cut'), SOURCE]);
  for (let cut = 0; cut < count; cut += 1) {
    const durability = cut % 4 === 3 ? 'process' : 'full';
    const { ledger, content } = await cutOnce(scratch, { cut, durability, waitMs: random() * MAX_WAIT_MS });
    judge(`cut ${cut}`, durability, { ledger, content, findings });
  }
  return findings.outcome();
}

/**
 * C13: takes the disk away from under a process that writes. Every caller is told something, within a limit;
 * nothing tries to repair anything, and when the disk is back all that was acknowledged is there.
 */
export async function takeDisk({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  run('cc', ['-O2', '-o', scratch.file('power-cut'), SOURCE]);
  for (let cut = 0; cut < count; cut += 1) {
    const waitMs = random() * MAX_WAIT_MS;
    const { ledger, content, end } = await cutOnce(scratch, {
      cut,
      durability: 'full',
      waitMs,
      isGone: true,
    });
    findings.add('disks');
    if (end.code !== 0)
      findings.break(
        `disk ${cut}: the process ended with ${end.signal ?? end.code}: ${end.stderr.slice(-300)}`,
      );
    if (content === undefined) findings.break(`disk ${cut}: the table is gone`);
    else ledger.check(`disk ${cut}`, content, findings);
    ledger.report(findings);
  }
  return findings.outcome();
}

async function cutOnce(
  scratch: Scratch,
  { cut, durability, waitMs, isGone = false }: Cut,
): Promise<{ ledger: Ledger; content: Content | undefined; end: ChildEnd }> {
  const image = scratch.file('image');
  const folder = scratch.file('mounted');
  writeFileSync(image, '');
  truncateSync(image, IMAGE_BYTES);
  mkdirSync(folder, { recursive: true });
  run('mkfs.ext4', ['-q', image]);
  run('mount', ['-o', 'loop', image, folder]);
  const ledger = new Ledger();
  try {
    const begun = Promise.withResolvers<void>();
    const args = [join(folder, 'app.db'), `c${cut}`, 'never', durability];
    const child = new Child('write-until-killed', args, {
      isCovered: false,
      onLine: (line) => {
        ledger.take(line);
        if (line.startsWith('committed')) begun.resolve();
      },
    });
    await Promise.race([begun.promise, child.ended]);
    await sleep(waitMs);
    run(scratch.file('power-cut'), isGone ? [folder, 'gone'] : [folder]);
    // Without its disk it must come to its end by itself: each of its callers stops when it was told so.
    if (!isGone) child.kill();
    const end = await child.ended;
    run('umount', [folder]);
    run('mount', ['-o', 'loop', image, folder]);
    return { ledger, content: read(join(folder, 'app.db')), end };
  } finally {
    spawnSync('umount', [folder]);
  }
}

/** @returns undefined where not even the table is left */
function read(path: string): Content | undefined {
  const database = new DatabaseSync(path);
  try {
    return readContent(database);
  } catch {
    return undefined;
  } finally {
    database.close();
  }
}

function judge(
  when: string,
  durability: string,
  { ledger, content, findings }: { ledger: Ledger; content: Content | undefined; findings: Findings },
): void {
  const committed = [...ledger.told].filter(([, told]) => told === 'committed').map(([op]) => op);
  const lost = committed.filter((op) => content === undefined || !content.whole.has(op)).length;
  findings.add(`cuts_${durability}`);
  findings.add(`acknowledged_${durability}`, committed.length);
  findings.add(`lost_${durability}`, lost);
  if (durability === 'full' && lost > 0) findings.break(`${when}: ${lost} acknowledged operations are lost`);
  if (content === undefined) return;
  if (hasGap(committed, content.whole))
    findings.break(`${when}: what is left is no prefix of what was committed`);
  if (content.torn.length > 0) findings.break(`${when}: ${content.torn.length} operations are there in part`);
  if (content.integrity !== 'ok') findings.break(`${when}: integrity_check says ${content.integrity}`);
}

/** Each caller makes its operations one after another: what survives must be their beginning. */
function hasGap(committed: readonly string[], whole: ReadonlySet<string>): boolean {
  const missing = new Set<string>();
  for (const op of committed) {
    const caller = op.slice(0, op.lastIndexOf('.'));
    if (!whole.has(op)) missing.add(caller);
    else if (missing.has(caller)) return true;
  }
  return false;
}

function run(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}
