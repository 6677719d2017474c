import { writeSync } from 'node:fs';

/**
 * Writes one line to the parent, past every buffer of this process: what was told is told, even if it is
 * killed now.
 */
export function tell(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}
