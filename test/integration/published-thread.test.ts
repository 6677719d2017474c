import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { CancelBoard } from '../../src/sqlite/cancel-board.ts';
import { Op, Status, type Answers, type WorkerReady, type WorkerStart } from '../../src/sqlite/protocol.ts';
import { SharedCounters } from '../../src/sqlite/shared-counters.ts';

const BUNDLE_WORKER = fileURLToPath(new URL('../../scripts/bundle-worker.ts', import.meta.url));

test('the thread that is published is one file, which opens a connection and works', async () => {
  const bundle = await bundleWorker();
  const code = await readFile(bundle, 'utf8');
  expect(code).toContain('MillpondError = class extends Error');
  expect(code, 'what the bundler adds would run for each answer').not.toContain('__name(');
  const imported = [...code.matchAll(/^(?:import|export) .*"(.+)";$/gm)];
  expect(imported.length).toBeGreaterThan(0);
  expect(imported.map(([, module]) => module).filter((module) => !module!.startsWith('node:'))).toEqual([]);

  const board = new SharedArrayBuffer(CancelBoard.sizeBytes);
  const thread = new Worker(bundle, { workerData: inMemory(board) });
  onTestFinished(async () => void (await thread.terminate()));
  expect(await next<WorkerReady>(thread)).toMatchObject({ ready: true });
  for (const [seq, text, status] of [
    [1, 'create table t (x) strict', Status.error],
    [2, 'create table t (x int) strict', Status.done],
  ] as const) {
    new CancelBoard(board).open(seq);
    thread.postMessage([Op.script, seq, text]);
    const [, [answered, said]] = await next<Answers>(thread);
    expect([answered, said]).toEqual([seq, status]);
  }
});

async function bundleWorker(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'millpond-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const bundle = join(folder, 'worker.mjs');
  await promisify(execFile)(process.execPath, [BUNDLE_WORKER, bundle]);
  return bundle;
}

function inMemory(board: SharedArrayBuffer): WorkerStart {
  const settings: WorkerStart['settings'] = {
    path: ':memory:',
    pooled: false,
    journalMode: 'memory',
    synchronous: 'full',
    foreignKeys: true,
    busyTimeoutMs: 1_000,
    cacheSizeKiB: 1_024,
    mmapSizeBytes: 0,
    journalSizeLimitBytes: 1_000_000,
    trustedSchema: false,
    walCheckpointBytes: 1_000_000,
    statementCacheSize: 10,
  };
  const counters = new SharedCounters().buffer;
  return { settings, role: 'writer', board, counters, interruptLibrary: undefined };
}

function next<Message>(thread: Worker): Promise<Message> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
  });
}
