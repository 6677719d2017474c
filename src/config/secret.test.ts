import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Secret } from './secret.ts';

it('shows a secret only to whoever asks for it', () => {
  const secret = new Secret('CANARY');
  const shown = [String(secret), JSON.stringify({ secret }), inspect(secret, { showHidden: true, depth: 9 })];
  expect(shown.join(' ')).not.toContain('CANARY');
  expect(Object.assign({}, secret)).toEqual({});
  expect(secret.reveal()).toBe('CANARY');
});
