import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EVENT_NAMES } from '../../../src/events/index.ts';
import { scratchPath } from '../../fixtures/scratch-database.ts';

const ROOT = new URL('../../../', import.meta.url);
const RESOLVER = new URL('test/fixtures/resolve-to-source.ts', ROOT).href;
const GUIDES = [
  'README',
  'best-practices',
  'connections',
  'events',
  'performance',
  'schema',
  'testing',
  'troubleshooting',
];
const LIMIT_MS = 25_000;

const textOf = (name: string): string => readFileSync(new URL(`docs/${name}.md`, ROOT), 'utf8');

/** Blocks of a page that begin with "```ts run" are whole programs. */
function programsOf(name: string): string[] {
  return [...textOf(name).matchAll(/^```ts run\n([\s\S]*?)^```$/gm)].map(([, program]) => program!);
}

/** Every file of `src/` but tests and what runs in browsers. */
function sourceFiles(): string[] {
  const folder = new URL('src/', ROOT);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => readFileSync(new URL(path, folder), 'utf8'));
}

describe('the programs of the guides run (P17)', () => {
  for (const guide of GUIDES) {
    test(`${guide}.md`, { timeout: 2 * LIMIT_MS }, async () => {
      const programs = programsOf(guide);
      expect(programs.length).toBeGreaterThan(0);
      for (const program of programs) {
        const folder = `${scratchPath()}-guide`;
        mkdirSync(folder);
        writeFileSync(join(folder, 'program.ts'), program);
        const run = promisify(execFile)(
          process.execPath,
          ['--import', RESOLVER, '--unhandled-rejections=strict', 'program.ts'],
          { cwd: folder, timeout: LIMIT_MS },
        );
        const { stdout, stderr } = await run;
        expect(stdout).not.toBe('');
        expect(
          stderr.replaceAll(/^.*(ExperimentalWarning|--trace-warnings|MODULE_TYPELESS).*$/gm, ''),
        ).not.toMatch(/error/i);
      }
    });
  }
});

test('every event is on the page of events', () => {
  const page = textOf('events');
  expect(EVENT_NAMES.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test('every code of an error is in the table of troubleshooting', () => {
  const page = textOf('troubleshooting');
  const codes = new Set(
    sourceFiles().flatMap((text) => text.match(/ERR_MILLPOND_[A-Z]+(?:_[A-Z]+)*\b/g) ?? []),
  );
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
