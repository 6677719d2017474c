/**
 * Writes some rounds while the file system fails as the shim was told, then some after it was healed, and
 * tells what callers were told, what the health check says, and whether reads go on. Arguments: the file, and
 * `dies` where the process is to end with the first failure, by a signal that nothing can answer.
 */
import { MillpondError, openDatabase, type Database } from '../../../../src/index.ts';
import { arm } from '../io-shim.ts';
import { KINDS, perform, SCHEMA } from '../parts.ts';
import { tell } from './tell.ts';

const ROUNDS = 6;
const CALLERS_OF_A_KIND = 2;
const [path, fate] = process.argv.slice(2) as [string, string];

const db = await openDatabase(`sqlite:${path}`, { log: 'silent', sqlite: { walCheckpointBytes: 65_536 } });
await db.script(SCHEMA);
tell('ready');

arm();
await writeRounds('faulty');
await look('faulty');
arm(false);
await writeRounds('healed');
await look('healed');
await db.close();
tell('closed');

async function writeRounds(phase: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const calls = Array.from({ length: KINDS.length * CALLERS_OF_A_KIND }, (_, caller) =>
      write(phase, round, caller),
    );
    await Promise.all(calls);
  }
}

async function write(phase: string, round: number, caller: number): Promise<void> {
  const op = `${phase}.${round}.${caller}`;
  const { told, code } = await perform(db, op, KINDS[caller % KINDS.length]!, 400);
  tell(told, op, code ?? '');
  if (told !== 'committed' && fate === 'dies') process.kill(process.pid, 'SIGKILL');
}

async function look(phase: string): Promise<void> {
  const { status, checks } = await db.health();
  tell('health', phase, status, codeOf(checks[0]?.error));
  tell('read', phase, await readCode(db));
}

async function readCode(database: Database): Promise<string> {
  try {
    await database.value('select count(*) from parts');
    return 'ok';
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  if (error === undefined) return '';
  if (error instanceof MillpondError) return error.code;
  return error instanceof Error ? String(error) : 'something that is no error';
}
