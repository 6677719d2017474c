import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancelBoard } from '../../src/sqlite/cancel-board.ts';
import { scaled } from '../fixtures/scale.ts';

/** As in the worker's file, which cannot be imported outside of a worker. */
const Cell = { at: 0, started: 1, stop: 2 } as const;

let board: CancelBoard;
let cells: Int32Array;
let worker: Worker;

beforeEach(async () => {
  const buffers = {
    board: new SharedArrayBuffer(CancelBoard.sizeBytes),
    cells: new SharedArrayBuffer(3 * Int32Array.BYTES_PER_ELEMENT),
  };
  board = new CancelBoard(buffers.board);
  cells = new Int32Array(buffers.cells);
  worker = new Worker(new URL('../fixtures/cancel-board-worker.ts', import.meta.url), {
    workerData: buffers,
  });
  await once(worker, 'online');
  while (Atomics.load(cells, Cell.started) === 0) await sleep(1);
});

afterEach(async () => {
  Atomics.store(cells, Cell.stop, 1);
  await once(worker, 'exit');
});

describe('between two threads', () => {
  test('an interrupt is over before the worker goes on to its next call (C42)', () => {
    let reached = 0;
    let strangers = 0;
    for (let round = 0; reached < scaled(2_000) && round < 50_000_000; round += 1) {
      const seq = board.running;
      if (seq === 0) continue;
      const didReach = board.interruptIfRunning(seq, () => {
        // The call itself, or nothing where it is just beginning or has just ended: never another one.
        for (let look = 0; look < 50; look += 1) {
          const at = Atomics.load(cells, Cell.at);
          if (at !== 0 && at !== seq) strangers += 1;
        }
      });
      if (didReach) reached += 1;
    }
    expect(reached).toBe(scaled(2_000));
    expect(strangers).toBe(0);
  });

  test('the worker goes on after each interrupt: it never waits for one that is over', async () => {
    for (let round = 0; round < 200; round += 1) {
      const seq = board.running;
      if (seq !== 0) board.interruptIfRunning(seq, () => undefined);
      const before = Atomics.load(cells, Cell.started);
      const deadline = performance.now() + 2_000;
      while (Atomics.load(cells, Cell.started) === before && performance.now() < deadline);
      expect(Atomics.load(cells, Cell.started)).toBeGreaterThan(before);
      if (round % 50 === 0) await sleep(1);
    }
  });
});
