import { expect, test } from 'vitest';
import { PAGE_STYLE } from './page-style.ts';

/** Brightness as eyes see it: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.039_28 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.212_6 * red! + 0.715_2 * green! + 0.072_2 * blue!;
}

function contrast(one: string, other: string): number {
  const [darker, lighter] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter! + 0.05) / (darker! + 0.05);
}

/** The variables of the two themes, in the order of the text. */
const THEMES = Array.from(PAGE_STYLE.matchAll(/^:root[^{]*\{([^}]*)\}/gm), ([, rules = '']) => {
  const found = Array.from(rules.matchAll(/--(\w+): (#[0-9a-f]{6})/g), ([, name = '', value = '']) => [
    name,
    value,
  ]);
  return Object.fromEntries(found as [string, string][]);
});

test.each([
  ['light', THEMES[0]!],
  ['dark', THEMES[1]!],
])(
  'in the %s theme text, lines of charts and edges of controls can be told from what is behind',
  (_, colours) => {
    const least = { text: 4.5, quiet: 4.5, accent: 4.5, good: 4.5, warn: 4.5, bad: 4.5, edge: 3 };
    const faint = Object.entries({ ...least, s1: 3, s2: 3, s3: 3, s4: 3 }).flatMap(([name, ratio]) =>
      ['page', 'card', 'soft']
        .filter((behind) => !(/^(s\d|edge)$/.test(name) && behind === 'soft'))
        .filter((behind) => contrast(colours[name]!, colours[behind]!) < ratio)
        .map((behind) => `${name} on ${behind}`),
    );
    expect(faint).toEqual([]);
  },
);
