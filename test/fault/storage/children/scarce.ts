/**
 * Writes and reads while the process may not have what it needs, and tells what callers were told. Arguments:
 * the file, and `size` where the limit is on the size of files, or `files` where it is on open files: then all
 * that are left are taken for a while.
 */
import { closeSync, openSync } from 'node:fs';
import { MillpondError, openDatabase } from '../../../../src/index.ts';
import { KINDS, perform, SCHEMA } from '../parts.ts';
import { tell } from './tell.ts';

const CALLERS = 8;
const MOST_ROUNDS = 400;
const [path, what] = process.argv.slice(2) as [string, 'size' | 'files'];
const db = await openDatabase(`sqlite:${path}`, { log: 'silent', name: false, inlineReads: false });
await db.script(SCHEMA);
tell('ready');

if (what === 'size') await writeUntilRefused();
else await readWithoutFiles();
tell('read', 'after', await outcomeOf(() => db.value('select count(*) from parts')));
tell('health', (await db.health()).status);
await db.close();
tell('closed');

/** Until the file may not grow any more, and on for a while. */
async function writeUntilRefused(): Promise<void> {
  let refusals = 0;
  for (let round = 0; round < MOST_ROUNDS && refusals < 40; round += 1) {
    const calls = Array.from({ length: CALLERS }, async (_, caller) => {
      const op = `size.${round}.${caller}`;
      const { told, code } = await perform(db, op, KINDS[caller % KINDS.length]!, 2_000);
      if (told !== 'committed') refusals += 1;
      tell(told, op, code ?? '');
    });
    await Promise.all(calls);
  }
}

/** No reader can be opened while there is no file to be had; when there is, the next read works. */
async function readWithoutFiles(): Promise<void> {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // All are taken.
  }
  tell(
    'read',
    'without',
    await outcomeOf(() => db.value('select count(*) from parts', [], { timeoutMs: 4_000 })),
  );
  const { told, code } = await perform(db, 'files.0.0', 'single', 200);
  tell(told, 'files.0.0', code ?? '');
  for (const file of taken) closeSync(file);
}

async function outcomeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'ok';
  } catch (error) {
    return error instanceof MillpondError ? error.code : String(error);
  }
}
