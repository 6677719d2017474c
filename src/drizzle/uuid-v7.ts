import { randomFillSync } from 'node:crypto';

/**
 * A UUID whose first 48 bits are the time in ms, so that new rows are neighbours in an index; the rest is
 * random. https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7
 */
export function uuidV7(now: number = Date.now()): string {
  const bytes = randomFillSync(Buffer.alloc(16));
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
