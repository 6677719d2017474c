import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LogSpace } from './log-space.ts';

const MIB = 1024 * 1024;
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-log-'));
  path = join(folder, 'a.db');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const framesOf = (bytes: number) => Math.floor(bytes / 4_120);

test('a short log is left alone, a longer one is given a step of zeros behind its end', () => {
  writeFileSync(`${path}-wal`, 'x'.repeat(200_000));
  const space = new LogSpace(path, 8 * MIB);
  expect(space.isShort(framesOf(100_000))).toBe(false);
  expect(space.isShort(framesOf(200_000))).toBe(true);
  space.extend();
  expect(statSync(`${path}-wal`).size).toBe(200_000 + MIB);
  const content = readFileSync(`${path}-wal`);
  expect(content.subarray(0, 200_000).every((byte) => byte === 0x78)).toBe(true);
  expect(content.subarray(200_000).every((byte) => byte === 0)).toBe(true);
  expect(space.isShort(framesOf(200_000))).toBe(false);
  expect(space.isShort(framesOf(200_000 + MIB))).toBe(true);
  space.close();
});

test('a log is not made longer than its limit', () => {
  writeFileSync(`${path}-wal`, 'x'.repeat(200_000));
  const space = new LogSpace(path, 500_000);
  space.extend();
  expect(statSync(`${path}-wal`).size).toBe(500_000);
  expect(space.isShort(framesOf(450_000))).toBe(false);
  space.close();
});

test('a log of an earlier round, or at its limit, needs no more', () => {
  writeFileSync(`${path}-wal`, Buffer.alloc(3 * MIB));
  const space = new LogSpace(path, 2 * MIB);
  space.extend();
  expect(statSync(`${path}-wal`).size).toBe(3 * MIB);
  expect(space.isShort(framesOf(MIB))).toBe(false);
  expect(space.isShort(framesOf(3 * MIB))).toBe(false);
  space.close();
});

test('without a log, after giving up and after closing there is nothing to extend', () => {
  const absent = new LogSpace(path, 8 * MIB);
  expect(absent.isShort(framesOf(MIB))).toBe(false);
  absent.close();
  closeSync(openSync(`${path}-wal`, 'w'));
  const space = new LogSpace(path, 8 * MIB);
  expect(space.isShort(framesOf(MIB))).toBe(true);
  space.giveUp();
  expect(space.isShort(framesOf(MIB))).toBe(false);
  space.close();
});
