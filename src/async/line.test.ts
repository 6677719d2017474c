import { expect, test } from 'vitest';
import { Line } from './line.ts';

interface Numbered {
  readonly n: number;
}

test('a line keeps the order of those in it, whoever leaves', () => {
  const line = new Line<Numbered>();
  let model: Numbered[] = [];
  let seed = 3;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const leave = (): readonly unknown[] => {
    const what = random(model.length > 1_500 ? 4 : 10);
    if (what < 3) return [line.shift(), model.shift()];
    if (what > 3) return [];
    const leaving = model[random(model.length)]!;
    model = model.filter((one) => one !== leaving);
    return [line.remove(leaving), true, line.remove(leaving), false];
  };
  for (let n = 0; n < 20_000; n += 1) {
    const item = { n };
    line.push(item);
    model.push(item);
    const [left, wanted, leftAgain, wantedAgain] = leave();
    expect([left, leftAgain]).toEqual([wanted, wantedAgain]);
    expect([line.length, line.peek(), line.last]).toEqual([model.length, model[0], model.at(-1)]);
  }
  expect([...line]).toEqual(model);
  while (line.length > 0) expect(line.shift()).toBe(model.shift());
  expect([line.shift(), line.peek(), line.last, line.remove({ n: 1 }), [...line]]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
    [],
  ]);
});

test('all in a line are seen, though each leaves while they are gone through', () => {
  const line = new Line<Numbered>();
  for (let n = 0; n < 5; n += 1) line.push({ n });
  const seen: number[] = [];
  for (const item of line) {
    line.remove(item);
    seen.push(item.n);
  }
  expect(seen).toEqual([0, 1, 2, 3, 4]);
});
