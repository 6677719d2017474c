import { constants } from 'node:os';

/** A signal asked this process to end. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
  /** What shells expect of a process that a signal ended. */
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}
