import { ConnectionPoolExhaustedError } from '../errors/index.ts';

/** The line is full: refused at once. */
export function fullError(holder: string, waiting: number): ConnectionPoolExhaustedError {
  return new ConnectionPoolExhaustedError(
    `The line for ${holder} is full: ${waiting} calls are waiting. Slow down, or raise pool.maxWaiting.`,
  );
}
