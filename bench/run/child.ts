import { isSynchronous, loadLeasePeer, loadSqlPeer } from '../peers/index.ts';
import type { OpenOptions, SqlPeer } from '../peers/index.ts';
import { numberInFile } from '../works/answers.ts';
import { WORKS } from '../works/index.ts';
import { answerWith, type CellAnswer, type CellTask } from './cell.ts';
import { SETTINGS } from './inspect.ts';

const task = JSON.parse(process.argv[2]!) as CellTask;
await answerWith(() => answerOf(task));

async function answerOf({
  work: name,
  step,
  warmUpMs,
  measureMs,
  scanRows,
  file,
  peer,
}: CellTask): Promise<CellAnswer> {
  if (name === 'inspect') return { kind: 'inspection', settings: await inspect() };
  const work = WORKS.find((candidate) => candidate.name === name)!;
  const isPool = work.seed === 'none';
  // Loaded before the work begins: a module's loading time is nobody's speed.
  const sqlPeer = isPool ? undefined : await loadSqlPeer(peer);
  const leasePeer = isPool ? await loadLeasePeer(peer) : undefined;
  const metrics = await work.run({
    warmUpMs,
    measureMs,
    step,
    scanRows,
    file,
    openSql: async (options) => sqlPeer!.openPeer(openOptions(options)),
    openPool: async (max) => leasePeer!.openPool(max),
    storedNumber: async (text) => numberInFile(file, text),
    synchronousPeer: isSynchronous(peer),
  });
  return { kind: 'metrics', metrics };
}

function openOptions(options?: Pick<OpenOptions, 'readers' | 'writes'>): OpenOptions {
  return { file: task.file, synchronous: task.synchronous, ...options };
}

/** The version of SQLite and the settings that the peer's connections really have. */
async function inspect(): Promise<Record<string, unknown>> {
  const peer: SqlPeer = await (await loadSqlPeer(task.peer)).openPeer(openOptions({ writes: true }));
  const settings: Record<string, unknown> = { version: await peer.value('select sqlite_version()') };
  const setting = peer.setting ?? ((name: string) => peer.value(`pragma ${name}`));
  for (const name of SETTINGS) settings[name] = await setting(name);
  await peer.close();
  return settings;
}
