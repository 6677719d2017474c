import { openDatabase } from '../../../src/index.ts';
import { FOLDED_ROWS, LOGGED_ROWS, makeBase, textOf, writeFiles } from './base.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { randomFrom } from '../../fixtures/scale.ts';
import { between } from './random.ts';
import { Scratch } from './scratch.ts';

interface Row {
  readonly id: number;
  readonly number: number;
  readonly text: string;
}

/**
 * C05: opens copies of a database whose log was cut at the end, or has a wrong bit. What is there must be a
 * prefix of what was committed, each row right, and the file sound and writable.
 */
export async function damageLog({ count, seed }: Extent): Promise<Outcome> {
  const findings = new Findings();
  const random = randomFrom(seed);
  using scratch = new Scratch();
  const base = makeBase(scratch.file('base.db'));
  for (let variant = 0; variant < count; variant += 1) {
    const isCut = variant % 2 === 0;
    const log = Buffer.from(base['-wal']!);
    const at = between(random, 0, log.length - 1);
    if (!isCut) log.writeUInt8(log.readUInt8(at) ^ (1 << between(random, 0, 7)), at);
    const path = scratch.file(`${variant}.db`);
    writeFiles(path, { '': base[''], '-wal': isCut ? log.subarray(0, at) : log });
    const when = `${isCut ? 'cut' : 'flipped'} at ${at} of ${log.length}`;
    await openAndCheck(when, path, findings);
    findings.add(isCut ? 'cuts' : 'flips');
    scratch.removeAll(`${variant}.db`);
  }
  return findings.outcome();
}

async function openAndCheck(when: string, path: string, findings: Findings): Promise<void> {
  // Of thousands of openings, one may come in a moment in which the machine does something else.
  const pool = { createTimeoutMs: 60_000 };
  await using db = await openDatabase(`sqlite:${path}`, { log: 'silent', name: false, pool });
  const rows = await db.all<Row>('select * from rows order by id');
  const isRight = ({ id, number, text }: Row, index: number) =>
    id === index + 1 && number === id && text === textOf(id);
  if (!rows.every(isRight)) findings.break(`${when}: a row is not what was written`);
  if (rows.length < FOLDED_ROWS || rows.length > FOLDED_ROWS + LOGGED_ROWS) {
    findings.break(`${when}: ${rows.length} rows`);
  }
  findings.add('rowsKept', rows.length - FOLDED_ROWS);
  await db.run('insert into rows values (?1, ?1, ?2)', [rows.length + 1, textOf(rows.length + 1)]);
  const integrity = await db.value('select integrity_check from pragma_integrity_check');
  if (integrity !== 'ok') findings.break(`${when}: integrity_check says ${String(integrity)}`);
}
