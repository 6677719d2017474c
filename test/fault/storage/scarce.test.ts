import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Child } from './child.ts';
import { Findings } from './experiment.ts';
import { Ledger } from './ledger.ts';
import { readContent } from './parts.ts';
import { Scratch } from './scratch.ts';

let scratch: Scratch;
beforeEach(() => (scratch = new Scratch()));
afterEach(() => scratch[Symbol.dispose]());

interface Told {
  readonly ledger: Ledger;
  /** `read after` → `ok`, `health` → `up`. */
  readonly looks: Map<string, string>;
}

/** Runs the child under a limit that the shell sets, and compares what it told with the file. */
async function runUnder(limit: string, what: 'size' | 'files'): Promise<Told> {
  const path = scratch.file('app.db');
  const ledger = new Ledger();
  const looks = new Map<string, string>();
  const child = new Child('scarce', [path, what], {
    // Its coverage would be a file that may not grow.
    isCovered: false,
    limit,
    onLine: (line) => {
      ledger.take(line);
      const words = line.split(' ');
      looks.set(words.slice(0, -1).join(' '), words.at(-1)!);
    },
  });
  const { code, signal, stderr } = await child.ended;
  expect({ code, signal, stderr }, 'how the process ended').toEqual({ code: 0, signal: null, stderr: '' });
  const findings = new Findings();
  const file = new DatabaseSync(path, { readOnly: true });
  ledger.check(limit, readContent(file), findings);
  file.close();
  expect(findings.outcome().broken).toEqual([]);
  return { ledger, looks };
}

describe.skipIf(process.platform === 'win32')(
  'a process that may not have what it needs (C09, B1, B13)',
  () => {
    test('tells the truth about every write when its files may not grow any more, and reads on', async () => {
      // In blocks of 512 bytes: two megabytes.
      const { ledger, looks } = await runUnder('ulimit -f 4096', 'size');
      expect(ledger.count('committed')).toBeGreaterThan(20);
      expect(ledger.count('refused') + ledger.count('unknown')).toBeGreaterThan(20);
      expect(looks.get('read after')).toBe('ok');
    });

    test('refuses a read for which no file can be opened, and serves the next one when there is one', async () => {
      const { ledger, looks } = await runUnder('ulimit -n 200', 'files');
      expect(looks.get('read without')).toMatch(/^ERR_MILLPOND_/);
      expect(looks.get('read after')).toBe('ok');
      expect(looks.get('health')).toBe('up');
      expect(ledger.told.get('files.0.0')).toBe('committed');
    });
  },
);
