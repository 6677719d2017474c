export { systemClock, type Clock, type Timer } from './clock.ts';
export { runInRootContext } from './root-context.ts';
