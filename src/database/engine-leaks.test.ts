import { expect, test } from 'vitest';
import type { EventName } from '../events/index.ts';
import { withoutEngineLeaks } from './engine-leaks.ts';

test('leak reports of the engine itself are left out, and nothing else is', () => {
  const heard: [EventName, unknown][] = [];
  const announce = withoutEngineLeaks(
    { has: (name) => name === 'pool:leak', emit: (name, event) => void heard.push([name, event]) },
    { group: 'group commit' },
  );
  const leakOf = (holder: string) => ({ pool: 'main', heldMs: 1, takenAt: '', holder });
  announce.emit('pool:leak', leakOf('group commit'));
  announce.emit('pool:leak-returned', leakOf('group commit'));
  announce.emit('pool:leak', leakOf('report'));
  announce.emit('pool:slow-acquire', { pool: 'main', waitedMs: 1 });
  expect(heard).toEqual([
    ['pool:leak', leakOf('report')],
    ['pool:slow-acquire', { pool: 'main', waitedMs: 1 }],
  ]);
  expect([announce.has('pool:leak'), announce.has('query:end')]).toEqual([true, false]);
});
