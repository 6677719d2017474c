import { runInRootContext } from '../async/index.ts';
import type { CancelBoard } from './cancel-board.ts';
import type { Interrupter } from './interrupt.ts';

/** A statement that can be stopped ends within microseconds of its interrupt. */
const AGAIN_AFTER_MS = 10;

/** Stops what one connection runs, where the interrupt extension is there. */
export class Stopper {
  readonly #board: CancelBoard;
  readonly #interrupter: Interrupter | undefined;
  #key: number | undefined;

  constructor(board: CancelBoard, interrupter: Interrupter | undefined) {
    this.#board = board;
    this.#interrupter = interrupter;
  }

  /** False where the worker itself has to look out for a cancellation, between rows. */
  get canInterrupt(): boolean {
    return this.#key !== undefined;
  }

  /** The connection is open. @param key what it was given for interrupts, where there is an interrupter */
  opened(key: number | undefined): void {
    this.#key = key;
  }

  /**
   * Interrupts the call, and again until it is over: SQLite forgets an interrupt that comes before the first
   * step of the statement, and the worker says that the call runs before that.
   * https://sqlite.org/c3ref/interrupt.html
   *
   * @returns 'row' where it does not run, or nothing can interrupt it: it ends when its worker looks out
   */
  stop(seq: number, isOver: () => boolean): 'interrupt' | 'row' {
    const interrupter = this.#interrupter;
    const key = this.#key;
    if (interrupter === undefined || key === undefined) return 'row';
    if (!this.#board.interruptIfRunning(seq, () => interrupter.interrupt(key))) return 'row';
    const again = () => !isOver() && this.stop(seq, isOver);
    runInRootContext(() => setTimeout(again, AGAIN_AFTER_MS)).unref();
    return 'interrupt';
  }
}
