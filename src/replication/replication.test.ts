import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../errors/index.ts';
import { LagMeter } from './lag-meter.ts';
import { formatLsn, parseLsn } from './lsn.ts';
import { WriteMarks } from './write-marks.ts';

describe('a place in the log', () => {
  test('is compared as a number', () => {
    expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n);
    expect(parseLsn('1/0') > parseLsn('0/FFFFFFFF')).toBe(true);
    expect(formatLsn(parseLsn('16/B374D848'))).toBe('16/B374D848');
  });

  test.each(['', '1', '1/', '1/2/3', 'x/1', '123456789/0', '0/1; drop table t'])('is not %j', (text) => {
    expect(() => parseLsn(text)).toThrow(UsageError);
  });
});

describe('the lag of a replica', () => {
  test('is 0 when it has all, however long the primary has been idle', () => {
    const meter = new LagMeter();
    meter.note(10n, 0);
    meter.note(10n, 5_000);
    expect(meter.lagMs(10n, 9_000)).toBe(0);
  });

  test('counts from when the first thing that it misses was seen', () => {
    const meter = new LagMeter();
    meter.note(10n, 0);
    meter.note(20n, 1_000);
    meter.note(30n, 2_000);
    expect(meter.lagMs(10n, 2_500)).toBe(1_500);
    expect(meter.lagMs(20n, 2_500)).toBe(500);
    expect(meter.lagMs(29n, 2_500)).toBe(500);
  });

  test('starts over with a primary that is behind the one before', () => {
    const meter = new LagMeter();
    meter.note(100n, 0);
    meter.note(50n, 1_000);
    expect(meter.lagMs(50n, 9_000)).toBe(0);
  });

  test('remembers no more than it needs', () => {
    const meter = new LagMeter();
    for (let at = 0; at < 10_000; at++) meter.note(BigInt(at), at);
    expect(meter.lagMs(0n, 10_000)).toBe(600);
  });
});

describe('write marks (B7)', () => {
  /** A primary whose log grows by one with each question. */
  function countingMarks(): { marks: WriteMarks; asked: () => number } {
    let asked = 0;
    const ask = async (): Promise<bigint> => BigInt(++asked);
    return { marks: new WriteMarks(ask), asked: () => asked };
  }

  test('ask for a place behind the own writes, and for the latest behind those of all', async () => {
    const asked: string[] = [];
    const marks = new WriteMarks(async (whose) => BigInt(asked.push(whose)));
    marks.noteWrite(marks.current());
    expect(await marks.required()).toBe(1n);
    expect(await marks.latest(() => marks.required())).toBe(2n);
    expect(asked).toEqual(['own', 'all']);
  });

  test('ask nobody while nothing was written', async () => {
    const { marks, asked } = countingMarks();
    expect(await marks.resolve(marks.current())).toBeUndefined();
    expect(asked()).toBe(0);
  });

  test('ask once for all reads after a write, and again after the next', async () => {
    const { marks, asked } = countingMarks();
    marks.noteWrite(marks.current());
    const reads = Array.from({ length: 10 }, () => marks.resolve(marks.current()));
    expect(new Set(await Promise.all(reads))).toEqual(new Set([1n]));
    expect(await marks.resolve(marks.current())).toBe(1n);
    marks.noteWrite(marks.current());
    expect(await marks.resolve(marks.current())).toBe(2n);
    expect(asked()).toBe(2);
  });

  test('do not take an answer for a write that ended after the question', async () => {
    const answers: ((lsn: bigint) => void)[] = [];
    const marks = new WriteMarks(() => new Promise((resolve) => answers.push(resolve)));
    const mark = marks.current();
    marks.noteWrite(mark);
    const early = marks.resolve(mark);
    marks.noteWrite(mark);
    const late = marks.resolve(mark);
    expect(answers).toHaveLength(2);
    answers[0]!(1n);
    expect(await early).toBe(1n);
    expect(mark.covered).toBe(1);
    answers[1]!(2n);
    expect(await late).toBe(2n);
    expect(await marks.resolve(mark)).toBe(2n);
  });

  test('keep scopes apart, and the process above them all', async () => {
    const { marks } = countingMarks();
    await marks.scope(undefined, async () => {
      await sleep(1);
      marks.noteWrite(marks.current());
    });
    await marks.scope(7n, async () => expect(await marks.required()).toBe(7n));
    await marks.scope(undefined, async () => expect(await marks.required()).toBeUndefined());
    expect(await marks.required()).toBe(1n);
    expect(await marks.alsoAfter(9n, () => marks.required())).toBe(9n);
    expect(await marks.alsoAfter(0n, () => marks.required())).toBe(1n);
  });

  test('ask again when the primary could not answer', async () => {
    let fails = true;
    const marks = new WriteMarks(async () => {
      if (fails) throw new Error('no primary');
      return 3n;
    });
    marks.noteWrite(marks.current());
    await expect(marks.resolve(marks.current())).rejects.toThrow('no primary');
    fails = false;
    expect(await marks.resolve(marks.current())).toBe(3n);
  });
});
