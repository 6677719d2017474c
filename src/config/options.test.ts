import { expect, it } from 'vitest';
import { defineConfig, type DatabaseOptions } from './options.ts';

it('a wrong option is a compile error', () => {
  const wrong: DatabaseOptions[] = [
    // @ts-expect-error -- misspelt
    { pool: { maxx: 1 } },
    // @ts-expect-error -- of another group
    { journalMode: 'wal' },
    // @ts-expect-error -- no such word
    { durability: 'none' },
    // @ts-expect-error -- text where a number belongs
    { queryTimeoutMs: '30s' },
    // @ts-expect-error -- true is no name
    { name: true },
    // @ts-expect-error -- not a whole logger
    { log: { info: () => undefined } },
  ];
  expect(wrong).toHaveLength(6);
});

it('defineConfig takes the options of one database or of several, and gives them back', () => {
  const one = { url: 'sqlite:app.db', pool: { max: 2 } } as const;
  const several = { databases: { main: one, analytics: { url: 'sqlite:analytics.db' } } } as const;
  expect(defineConfig(one)).toBe(one);
  expect(defineConfig(several)).toBe(several);
  // @ts-expect-error -- the section is the name
  defineConfig({ name: 'main' });
});
