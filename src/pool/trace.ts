import { usersFrames } from '../stack/index.ts';

/** A stack, captured but not yet turned into text: that costs most and is needed almost never. */
export interface Trace {
  readonly stack?: string;
}

/** What `captureStackTrace` leaves out, together with all above it. */
export type Below = (...args: never[]) => unknown;

const FRAMES = 10;

/** The stack of whoever called `below`. */
export function captureTrace(below: Below): Trace {
  const trace: Trace = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(trace, below);
  Error.stackTraceLimit = limit;
  return trace;
}

/** Of frames as `toText` gives them, the first that is the user's own, where there is one: for messages. */
export function placeOf(frames: string): string {
  const [own] = usersFrames(frames);
  return own === undefined ? frames.split('\n', 1)[0]! : `at ${own}`;
}

/** The frames, one a line, without the leading `Error`; empty when nothing was captured. */
export function toText(trace: Trace | undefined): string {
  const lines = trace?.stack?.split('\n') ?? [];
  return lines
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .join('\n');
}
