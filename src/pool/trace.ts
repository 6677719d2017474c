import { fileURLToPath } from 'node:url';

/** A stack, captured but not yet turned into text: that costs most and is needed almost never. */
export interface Trace {
  readonly stack?: string;
}

/** What `captureStackTrace` leaves out, together with all above it. */
export type Below = (...args: never[]) => unknown;

const FRAMES = 10;
const BURST = 100;
const PER_MS = 1;
const EAGER_MS = 600_000;

/**
 * Decides which leases get the stack of their taker. Capturing costs a few microseconds, which is more than
 * the rest of acquire and release together, so a busy pool traces only some: 100 at once, 1 per millisecond
 * lasting (half a per cent of the time). After `wantAll`, which follows a leak that had no trace, every lease
 * is traced for ten minutes.
 */
export class TraceRation {
  #left = BURST;
  #filledAtMs = 0;
  #eagerUntilMs = -Infinity;

  capture(nowMs: number, below: Below): Trace | undefined {
    if (nowMs >= this.#eagerUntilMs) {
      this.#left = Math.min(BURST, this.#left + (nowMs - this.#filledAtMs) * PER_MS);
      this.#filledAtMs = nowMs;
      if (this.#left < 1) return undefined;
      this.#left -= 1;
    }
    return captureTrace(below);
  }

  wantAll(nowMs: number): void {
    this.#eagerUntilMs = nowMs + EAGER_MS;
  }
}

function captureTrace(below: Below): Trace {
  const trace: Trace = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(trace, below);
  Error.stackTraceLimit = limit;
  return trace;
}

/** Where the code of millpond ends and that of its user begins. */
const OWN_FOLDER = new URL('..', import.meta.url);

/** Of frames as `toText` gives them, the first that is the user's own, where there is one: for messages. */
export function placeOf(frames: string): string {
  const lines = frames.split('\n');
  const others = [OWN_FOLDER.href, fileURLToPath(OWN_FOLDER), 'node:', '<anonymous>', '/node_modules/'];
  return lines.find((line) => !others.some((folder) => line.includes(folder))) ?? lines[0]!;
}

/** The frames, one a line, without the leading `Error`; empty when nothing was captured. */
export function toText(trace: Trace | undefined): string {
  const lines = trace?.stack?.split('\n') ?? [];
  return lines
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .join('\n');
}
