import { makeBase, makeBaseWithShortLog, writeFiles, type Files } from './base.ts';
import { Child } from './child.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { between } from './random.ts';
import { Scratch } from './scratch.ts';

/** Files that one process opens, one after another. */
const FILES_PER_CHILD = 25;
const PAGE_BYTES = 4_096;

/** What a child tells of one file; see children/open-damaged.ts. */
interface Report {
  readonly file: string;
  /** `refused`: not opened; `stopped`: damage was found later; `served`: nothing was found. */
  readonly ending: 'refused' | 'stopped' | 'served';
  /** Which files are not as they were. */
  readonly changed: readonly string[];
  readonly problems: readonly string[];
}

/**
 * C11: opens databases with a wrong byte, of a wrong length, or full of garbage; reads and writes. The
 * process lives, every error is one of millpond's, a file that is refused stays as it is to the byte, and
 * damage that is found stops writes for good. What cannot be found is a wrong byte within a value: SQLite
 * keeps no checksums.
 */
export async function damageFiles({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  const bases = [
    makeBase(scratch.file('base.db')),
    makeBaseWithShortLog(scratch.file('short-log.db')),
  ] as const;
  for (let done = 0; done < count; done += FILES_PER_CHILD) {
    const variants = new Map<string, string>();
    for (let index = done; index < Math.min(count, done + FILES_PER_CHILD); index += 1) {
      const { what, files } = damage(bases[(index >> 4) % 2]!, index, random);
      const file = scratch.file(`damaged${index}.db`);
      writeFiles(file, files);
      variants.set(file, what);
    }
    await openAll(variants, findings);
    scratch.removeAll('damaged');
  }
  return findings.outcome();
}

/** A copy of the database with one fault; every other one with the log that belongs to it. */
function damage(base: Files, index: number, random: () => number): { what: string; files: Files } {
  const { what, bytes } = damageBytes(Buffer.from(base['']!), index % 8, random);
  const hasLog = (index >> 3) % 2 === 1;
  return hasLog
    ? { what: `${what}, with a log`, files: { '': bytes, '-wal': base['-wal'] } }
    : { what, files: { '': bytes } };
}

/** Mostly one wrong byte: in the header, in the first page, near the beginning of any page, anywhere. */
function damageBytes(bytes: Buffer, kind: number, random: () => number): { what: string; bytes: Buffer } {
  if (kind === 0) {
    const length = between(random, 1, bytes.length - 1);
    return { what: `cut to ${length} bytes`, bytes: bytes.subarray(0, length) };
  }
  if (kind === 1) {
    const length = between(random, 1, 20_000);
    const garbage = Array.from({ length }, () => between(random, 0, 255));
    return { what: `${length} bytes of garbage`, bytes: Buffer.from(garbage) };
  }
  const page = between(random, 0, bytes.length / PAGE_BYTES - 1) * PAGE_BYTES;
  const last = [bytes.length, bytes.length, 100, PAGE_BYTES, 120, 120, bytes.length, bytes.length][kind]! - 1;
  const at = (last === 119 ? page : 0) + between(random, 0, last);
  const value = bytes.readUInt8(at) ^ between(random, 1, 255);
  bytes.writeUInt8(value, at);
  return { what: `byte ${at} is ${value}`, bytes };
}

async function openAll(variants: ReadonlyMap<string, string>, findings: Findings): Promise<void> {
  const reported = new Set<string>();
  const child = new Child('open-damaged', [...variants.keys()], {
    onLine: (line) => {
      const report = JSON.parse(line) as Report;
      reported.add(report.file);
      judge(variants.get(report.file)!, report, findings);
    },
  });
  const { code, signal, stderr } = await child.ended;
  if (code === 0) return;
  const last = [...variants].find(([file]) => !reported.has(file))?.[1];
  findings.break(`the process ended with ${signal ?? code} at "${last}": ${stderr.slice(-500)}`);
}

function judge(what: string, { ending, changed, problems }: Report, findings: Findings): void {
  findings.add('files');
  findings.add(ending);
  for (const problem of problems) findings.break(`${what}: ${problem}`);
  // The shared memory is made anew from the log; nothing is lost with it.
  const lost = changed.filter((file) => file !== '-shm');
  if (ending === 'refused' && lost.length > 0)
    findings.break(`${what}: refused, but changed: ${lost.join(', ')}`);
}
