import { writeSync } from 'node:fs';

/**
 * Writes one line to the parent, past every buffer of this process: what was told is told, even if it is
 * killed now. Waits where the parent does not keep up: a pipe takes a short line whole, or not at all
 * (https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html).
 */
export function tell(...words: readonly (string | number)[]): void {
  const line = `${words.join(' ')}\n`;
  while (!wasTaken(line)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

function wasTaken(line: string): boolean {
  try {
    writeSync(1, line);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
    throw error;
  }
}
