import { expect, test } from 'vitest';
import { Versions } from './versions.ts';

test('what was changed since is not current, and nothing else', () => {
  const versions = new Versions();
  const since = versions.open();
  versions.change(['a']);
  const later = versions.open();
  versions.change(['b']);
  expect(versions.isCurrent(['a'], since)).toBe(false);
  expect(versions.isCurrent(['a'], later)).toBe(true);
  expect(versions.isCurrent(['c', 'b'], later)).toBe(false);
  expect(versions.isCurrent(['c'], since)).toBe(true);
});

test('after a change of everything nothing older is current', () => {
  const versions = new Versions();
  const since = versions.open();
  versions.changeEverything();
  expect(versions.isCurrent([], since)).toBe(false);
  expect(versions.isCurrent([], versions.now)).toBe(true);
});

test('a version from before it began to remember is refused, rather than trusted', () => {
  const versions = new Versions();
  const before = versions.now;
  versions.change(['a']);
  expect(versions.isCurrent(['b'], before)).toBe(false);
  const since = versions.open();
  versions.change(['a']);
  versions.close();
  expect(versions.isCurrent(['b'], since)).toBe(false);
});

test('it remembers a bounded number of labels, and then counts everything as changed', () => {
  const versions = new Versions();
  const since = versions.open();
  for (let index = 0; index <= 10_000; index += 1) versions.change([`label ${index}`]);
  expect(versions.isCurrent(['another'], since)).toBe(false);
});
