/**
 * Writes from many callers at once, and tells the parent each operation's outcome the moment its caller knows
 * it, until it is killed. Arguments: the file, a name for its operations, and when to close the database (ms,
 * or `never`).
 */
import { openDatabase } from '../../../../src/index.ts';
import { KINDS, perform, SCHEMA } from '../parts.ts';
import { tell } from './tell.ts';

const CALLERS = 16;
const [path, name, closeAfterMs, durability = 'full'] = process.argv.slice(2) as [
  string,
  string,
  string,
  ('full' | 'process')?,
];

tell('opening');
const db = await openDatabase(`sqlite:${path}`, {
  log: 'silent',
  durability,
  // As small as possible, so that many of the kills hit a checkpoint.
  sqlite: { walCheckpointBytes: 65_536 },
});
await db.script(SCHEMA);
tell('ready');

if (closeAfterMs !== 'never')
  setTimeout(() => void db.close().then(() => tell('closed')), Number(closeAfterMs));
await Promise.all(Array.from({ length: CALLERS }, (_, caller) => writeOn(caller)));

async function writeOn(caller: number): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const op = `${name}.${caller}.${turn}`;
    const kind = KINDS[(caller + turn) % KINDS.length]!;
    const { told, code } = await perform(db, op, kind, 200);
    tell(told, op, code ?? '');
    if (told !== 'committed') return;
  }
}
