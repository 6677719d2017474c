import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Child } from './child.ts';
import { Scratch } from './scratch.ts';

test('closes to its end, with the log folded in, where a stream was left open and nothing else keeps the process (B14)', async () => {
  using scratch = new Scratch();
  const lines: string[] = [];
  const child = new Child('close-on-a-lost-stream', [scratch.file('app.db')], {
    onLine: (line) => lines.push(line),
  });
  expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  expect(lines).toEqual(['left open', 'closed']);
  expect(existsSync(scratch.file('app.db-wal')), 'the log is left').toBe(false);
});
