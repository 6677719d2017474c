import { describe, expect, it } from 'vitest';
import { decodeMoment, readMoment } from './moment-text.ts';

const TEXTS: readonly (readonly [text: string, moment: unknown])[] = [
  ['2026-11-21 11:27:22+00', new Date('2026-11-21T11:27:22Z')],
  ['2026-11-21 11:27:22.5+00', new Date('2026-11-21T11:27:22.500Z')],
  ['2026-11-21 11:27:22.140999+00', new Date('2026-11-21T11:27:22.140Z')],
  ['2026-11-21 11:27:22.001+02', new Date('2026-11-21T09:27:22.001Z')],
  ['2026-01-01 01:00:00-05', new Date('2026-01-01T06:00:00Z')],
  ['2026-11-21 11:27:22+05:30', new Date('2026-11-21T05:57:22Z')],
  ['1883-11-18 12:00:00-04:56:02', new Date('1883-11-18T16:56:02Z')],
  ['0001-01-01 00:00:00+00', new Date('0001-01-01T00:00:00Z')],
  ['0044-03-15 12:00:00+00 BC', new Date('-000043-03-15T12:00:00Z')],
  ['12026-11-21 11:27:22+00', new Date('+012026-11-21T11:27:22Z')],
  ['294276-12-31 23:59:59+00', '294276-12-31 23:59:59+00'],
  ['infinity', Infinity],
  ['-infinity', -Infinity],
];

describe('a moment', () => {
  it.each(TEXTS)('%s is read from its text, and from its bytes (C60)', (text, moment) => {
    expect(readMoment(text)).toEqual(moment);
    const bytes = Buffer.from(`xx${text}yy`);
    expect(decodeMoment(bytes, 2, bytes.length - 2)).toEqual(moment);
  });
});
