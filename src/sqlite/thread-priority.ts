import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Enough for the event loop's thread to get a core at once when it wants one, while readers have whatever it
 * leaves.
 */
const READER_NICENESS = 5;

/**
 * Lets the calling thread yield to the others of this process where they compete for a core: with as many
 * busy readers as cores, the event loop would otherwise wait for its turn for milliseconds. Linux keeps a
 * priority for each thread, by the thread's id: https://man7.org/linux/man-pages/man2/setpriority.2.html
 * Elsewhere the priority is the process's, and is left alone.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== 'linux') return;
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(threadId, READER_NICENESS);
  } catch {
    // No /proc, or a sandbox that forbids it: readers compete as equals.
  }
}
