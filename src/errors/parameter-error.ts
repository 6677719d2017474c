import { UsageError } from './usage-error.ts';

/** A value that an engine cannot bind, or would store as something else. */
export function parameterError(index: number, kind: string, advice: string): UsageError {
  return new UsageError(
    `Parameter ${index + 1} is ${kind}: ${advice}. (docs/values.md lists what can be bound.)`,
    { code: 'ERR_MILLPOND_VALUE' },
  );
}
