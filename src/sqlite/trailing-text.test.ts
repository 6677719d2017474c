import { expect, test } from 'vitest';
import { isBlankFrom } from './trailing-text.ts';

test.each([
  '',
  ' \t\r\n\u00a0',
  ';;',
  '-- to the end',
  '-- a line\n  ;',
  '/* a */ /* b */',
  '/* never closed',
  '/**/-- x\n;',
])('nothing is left in %j', (rest) => {
  expect(isBlankFrom(`select 1${rest}`, 8)).toBe(true);
});

test.each(['select 2', '; select 2', '-- a\nselect 2', '/* a */ x', '- 1', '/ 2', '/*/ x */ y'])(
  'something is left in %j',
  (rest) => {
    expect(isBlankFrom(`select 1${rest}`, 8)).toBe(false);
  },
);
