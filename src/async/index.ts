export { AfterTurn } from './after-turn.ts';
export { systemClock, type Clock, type Timer, type TimerOptions } from './clock.ts';
export { Line } from './line.ts';
export { ManualClock } from './manual-clock.ts';
export { rejectTraced } from './reject-traced.ts';
export { runInRootContext } from './root-context.ts';
export { waitAtMost } from './wait-at-most.ts';
