import { expect, test } from 'vitest';
import { runScript } from '../../fixtures/run-script.ts';
import { scaled, scaledTimeoutMs, seed } from '../../fixtures/scale.ts';
import { growth } from './slopes.ts';

interface Result {
  readonly counts: Readonly<Record<string, number>>;
  readonly broken: readonly string[];
}

test(
  'through any faults under load nothing is lost, doubled or left over (C75, B1, B11, B20)',
  async () => {
    const args = ['--minutes', String(scaled(1) * 0.1), '--seed', String(seed)];
    const script = new URL('main.ts', import.meta.url);
    const { lines, stderr } = await runScript(script, { args, limitMs: scaledTimeoutMs() });
    expect(stderr).toBe('');
    const { counts, broken } = lines.at(-1) as Result;
    expect(broken, `seed ${seed}`).toEqual([]);
    expect(counts['committed'], 'some writes went well').toBeGreaterThan(10);
    expect(counts['reads']).toBeGreaterThan(10);
  },
  scaledTimeoutMs(),
);

test('what grows from round to round is told from what goes up and down (C75)', () => {
  const sample = { memoryMiB: 100, handles: 10, files: 20, logMiB: 1 };
  const restless = Array.from({ length: 30 }, (_, round) => ({
    ...sample,
    memoryMiB: 100 + (round % 2) * 50,
  }));
  expect(growth(restless).memoryMiB).toMatchObject({ isGrowth: false });
  const leaking = restless.map((one, round) => ({ ...one, files: 20 + round * 2 }));
  expect(growth(leaking)).toMatchObject({ files: { isGrowth: true }, handles: { isGrowth: false } });
  expect(growth(restless.slice(0, 8)), 'too few to tell').toEqual({});
});
