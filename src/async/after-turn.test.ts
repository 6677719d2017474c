import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { AfterTurn } from './after-turn.ts';

test('what is asked for many times in a turn is done once after it, and again when asked again', async () => {
  let times = 0;
  const once = new AfterTurn(() => (times += 1));
  for (let asked = 0; asked < 3; asked += 1) once.schedule();
  await Promise.resolve();
  expect(times, 'in the same turn').toBe(0);
  await nextTurn();
  expect(times).toBe(1);
  await nextTurn();
  expect(times, 'unasked').toBe(1);
  once.schedule();
  await nextTurn();
  expect(times).toBe(2);
});

test('what is asked for while it is done is done in the next turn', async () => {
  let times = 0;
  const twice = new AfterTurn(() => {
    times += 1;
    if (times === 1) twice.schedule();
  });
  twice.schedule();
  await nextTurn();
  expect(times).toBe(1);
  await nextTurn();
  expect(times).toBe(2);
});
