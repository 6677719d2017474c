import { describe, expect, it } from 'vitest';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** The messages as code and body, by the same framing that the server uses. */
function messagesOf(writer: WireWriter): [code: string, body: string][] {
  const found: [string, string][] = [];
  const reader = new WireReader((code, buffer, start, end) => {
    found.push([String.fromCharCode(code), buffer.toString('latin1', start, end)]);
  });
  reader.push(writer.take());
  return found;
}

describe('WireWriter', () => {
  it('writes the messages of a statement one behind the other', () => {
    const writer = new WireWriter();
    writer.parse('s1', 'select $1');
    writer.bind('', 's1', ['é', null]);
    writer.describePortal('');
    writer.execute('', 0);
    writer.sync();
    expect(messagesOf(writer)).toEqual([
      ['P', 's1\0select $1\0\0\0'],
      ['B', '\0s1\0\0\0\0\x02\0\0\0\x02Ã©\xff\xff\xff\xff\0\0'],
      ['D', 'P\0'],
      ['E', '\0\0\0\0\0'],
      ['S', ''],
    ]);
    expect(writer.isEmpty).toBe(true);
  });

  it('sends bytes as bytes, and says which values are', () => {
    const writer = new WireWriter();
    writer.bind('p', '', ['a', new Uint8Array([0, 255])]);
    expect(messagesOf(writer)).toEqual([['B', 'p\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\x01a\0\0\0\x02\0\xff\0\0']]);
  });

  it('grows with what is written, and gives what was taken away for good', () => {
    const writer = new WireWriter();
    const large = 'é'.repeat(400_000);
    writer.query(large);
    const first = writer.take();
    writer.query('select 1');
    expect(first.toString('utf8', 5, first.length - 1)).toBe(large);
    expect(messagesOf(writer)).toEqual([['Q', 'select 1\0']]);
  });
});
