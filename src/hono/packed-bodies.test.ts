import { describe, expect, test } from 'vitest';
import { PackedBodies } from './packed-bodies.ts';

const BODY = 'a list that many ask for';
const PACKED = new TextEncoder().encode('packed');

function keep(bodies: PackedBodies, body: string, packed: Uint8Array<ArrayBuffer> = PACKED): string {
  const key = bodies.keyOf('br', body)!;
  bodies.keep(key, packed);
  return key;
}

describe('compressed bodies (M2)', () => {
  test('are found again by what they were made of, and by their encoding', () => {
    const bodies = new PackedBodies(10_000);
    keep(bodies, BODY);
    const same = [BODY, new TextEncoder().encode(BODY)].map((body) => bodies.keyOf('br', body)!);
    expect(same.map((key) => bodies.find(key))).toEqual([PACKED, PACKED]);
    const others = [bodies.keyOf('gzip', BODY)!, bodies.keyOf('br', `${BODY}.`)!];
    expect(others.map((key) => bodies.find(key))).toEqual([undefined, undefined]);
  });

  test('hold none of the buffer that they were a part of', () => {
    const bodies = new PackedBodies(10_000);
    const key = keep(bodies, BODY, new Uint8Array(new ArrayBuffer(16_384), 0, 10));
    expect(bodies.find(key)!.buffer.byteLength).toBe(10);
  });

  test('take no more memory than they may: the one unused for longest goes (B20)', () => {
    const bodies = new PackedBodies(3_000);
    const keys = Array.from({ length: 100 }, (_, index) =>
      keep(bodies, `body ${index}`, new Uint8Array(800)),
    );
    const found = keys.filter((key) => bodies.find(key) !== undefined);
    expect(found).toEqual(keys.slice(-3));
    expect(bodies.find(keep(bodies, 'larger than all', new Uint8Array(3_000)))).toBeUndefined();
  });

  test('are not kept where they may take nothing, or where a digest would take long', () => {
    expect(new PackedBodies(0).keyOf('br', BODY)).toBeUndefined();
    expect(new PackedBodies(10_000).keyOf('br', 'x'.repeat(262_145))).toBeUndefined();
  });
});
