import { describe, expect, it } from 'vitest';
import { WireReader } from './wire-reader.ts';

function message(code: string, body: string): Buffer {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.write(code, 0);
  bytes.writeInt32BE(4 + body.length, 1);
  bytes.write(body, 5);
  return bytes;
}

const BODIES = ['', 'a', 'bcd', 'e'.repeat(300), '', 'f'.repeat(70)];
const STREAM = Buffer.concat(BODIES.map((body) => message('D', body)));

function read(pieces: readonly Buffer[]): string[] {
  const found: string[] = [];
  const reader = new WireReader((code, buffer, start, end) => {
    expect(String.fromCharCode(code)).toBe('D');
    found.push(buffer.toString('latin1', start, end));
  });
  // Like a socket that has one buffer, and fills it anew each time.
  const buffer = Buffer.alloc(STREAM.length + 10);
  for (const piece of pieces) {
    buffer.fill(0xff);
    piece.copy(buffer);
    reader.push(buffer, piece.length);
  }
  return found;
}

describe('WireReader', () => {
  it('cuts one piece into its messages', () => {
    expect(read([STREAM])).toEqual(BODIES);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 64, 299])('cuts pieces of %d bytes the same way', (size) => {
    const pieces: Buffer[] = [];
    for (let at = 0; at < STREAM.length; at += size) pieces.push(STREAM.subarray(at, at + size));
    expect(read(pieces)).toEqual(BODIES);
  });

  it('cuts pieces of any sizes the same way', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
      return (seed >> 8) % below;
    };
    for (let round = 0; round < 200; round += 1) {
      const pieces: Buffer[] = [];
      for (let at = 0; at < STREAM.length; at += pieces.at(-1)!.length) {
        pieces.push(STREAM.subarray(at, at + 1 + random(round + 1)));
      }
      expect(read(pieces)).toEqual(BODIES);
    }
  });

  it('refuses what can be no message', () => {
    const reader = new WireReader(() => undefined);
    expect(() => reader.push(Buffer.from('D\0\0\0\u0003more', 'latin1'))).toThrow(RangeError);
    expect(() => reader.push(Buffer.from('HTTP'))).not.toThrow();
    expect(() => reader.push(Buffer.from([0xff]))).not.toThrow();
    expect(() =>
      new WireReader(() => undefined).push(Buffer.from('D\u00ff\u00ff\u00ff\u00ff', 'latin1')),
    ).toThrow(RangeError);
  });

  it('gives a message when its last byte is there, and not before', () => {
    const found: number[] = [];
    const reader = new WireReader((_code, _buffer, start, end) => found.push(end - start));
    const bytes = message('D', 'x'.repeat(1_000));
    reader.push(bytes.subarray(0, 1_004));
    expect(found).toEqual([]);
    reader.push(bytes.subarray(1_004));
    expect(found).toEqual([1_000]);
  });
});
