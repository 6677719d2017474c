import { beforeEach, describe, expect, test } from 'vitest';
import { CancelBoard } from './cancel-board.ts';

let board: CancelBoard;
beforeEach(() => {
  board = new CancelBoard(new SharedArrayBuffer(CancelBoard.sizeBytes));
});

describe('a call', () => {
  test('that is cancelled before it starts never starts', () => {
    board.open(1);
    expect(board.cancel(1)).toBe('unstarted');
    expect(board.start(1)).toBe(false);
    expect(board.running).toBe(0);
  });

  test('that is cancelled while it runs may be interrupted, and cannot become final', () => {
    board.open(1);
    expect(board.start(1)).toBe(true);
    expect(board.running).toBe(1);
    expect(board.cancel(1)).toBe('started');
    expect(board.isCancelled(1)).toBe(true);
    expect(board.finalize(1)).toBe(false);
  });

  test('that is final can no longer be cancelled', () => {
    board.open(1);
    board.start(1);
    board.finish(1);
    expect(board.finalize(1)).toBe(true);
    expect([board.cancel(1), board.isFinal(1), board.isCancelled(1)]).toEqual(['final', true, false]);
  });

  test('can be withdrawn until it starts', () => {
    board.open(1);
    board.open(2);
    expect(board.withdraw(1)).toBe(true);
    board.start(2);
    expect(board.withdraw(2)).toBe(false);
    expect(board.start(1)).toBe(false);
  });

  test('that ran in a group may run again, alone', () => {
    board.open(1);
    board.start(1);
    board.finish(1);
    expect(board.start(1)).toBe(true);
  });

  test('finds its slot clean after another one had it', () => {
    board.open(1);
    board.cancel(1);
    board.open(1 + CancelBoard.capacity);
    expect(board.start(1 + CancelBoard.capacity)).toBe(true);
  });
});

describe('an interrupt', () => {
  test('reaches the call that runs, and no other (C42)', () => {
    let interrupts = 0;
    const interrupt = (seq: number) => board.interruptIfRunning(seq, () => void (interrupts += 1));
    board.open(1);
    board.start(1);
    expect(interrupt(2)).toBe(false);
    expect(interrupt(1)).toBe(true);
    board.finish(1);
    expect(interrupt(1)).toBe(false);
    expect(interrupts).toBe(1);
  });

  test('reaches nothing where nothing runs', () => {
    expect(board.interruptIfRunning(board.running, () => undefined)).toBe(false);
  });

  test('may be repeated while the call runs', () => {
    board.open(1);
    board.start(1);
    for (let time = 0; time < 3; time += 1) {
      expect(board.interruptIfRunning(1, () => undefined)).toBe(true);
      expect(board.running).toBe(1);
    }
    board.finish(1);
    expect(board.running).toBe(0);
  });

  test('that fails does not keep the worker from going on', () => {
    board.open(1);
    board.start(1);
    const failing = () =>
      board.interruptIfRunning(1, () => {
        throw new Error('mine');
      });
    expect(failing).toThrow('mine');
    board.finish(1);
    board.open(2);
    expect(board.start(2)).toBe(true);
  });
});
