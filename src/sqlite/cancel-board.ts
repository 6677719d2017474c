/**
 * What the main thread and one worker tell each other about running calls without a message: a worker inside
 * `sqlite3_step` reads none. Every call has a sequence number; its slot says whether it may still be
 * cancelled, and the running cell says which call the worker executes right now.
 */
export class CancelBoard {
  /** Most calls in flight on one worker: beyond it two of them would share a slot. */
  static readonly capacity = 4096;
  static readonly sizeBytes: number = (CancelBoard.capacity + 1) * Int32Array.BYTES_PER_ELEMENT;

  readonly #cells: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** Opens the slot of a call that is about to be sent. */
  open(seq: number): void {
    Atomics.store(this.#cells, slotOf(seq), Slot.open);
  }

  /** @returns false when it is too late: the worker has begun to make the call's effect final. */
  cancel(seq: number): boolean {
    const before = Atomics.compareExchange(this.#cells, slotOf(seq), Slot.open, Slot.cancelled);
    return before !== Slot.final;
  }

  /** The call that the worker executes, or 0. */
  get running(): number {
    return Math.abs(Atomics.load(this.#cells, RUNNING));
  }

  /**
   * Runs `interrupt` only if the worker executes `seq`, and keeps the worker from going on to its next
   * statement until `interrupt` returned. Without this an interrupt that comes a moment too late hits an
   * innocent statement.
   */
  interruptIfRunning(seq: number, interrupt: () => void): boolean {
    if (Atomics.compareExchange(this.#cells, RUNNING, seq, -seq) !== seq) return false;
    try {
      interrupt();
    } finally {
      Atomics.store(this.#cells, RUNNING, 0);
      Atomics.notify(this.#cells, RUNNING);
    }
    return true;
  }

  isCancelled(seq: number): boolean {
    return Atomics.load(this.#cells, slotOf(seq)) === Slot.cancelled;
  }

  /** @returns false when the call was cancelled before it could start. */
  start(seq: number): boolean {
    if (this.isCancelled(seq)) return false;
    Atomics.store(this.#cells, RUNNING, seq);
    return true;
  }

  finish(seq: number): void {
    if (Atomics.compareExchange(this.#cells, RUNNING, seq, 0) === seq) return;
    // The main thread is inside interruptIfRunning; it takes microseconds.
    Atomics.wait(this.#cells, RUNNING, -seq);
  }

  /** From now on the call cannot be cancelled. @returns false when it was already. */
  finalize(seq: number): boolean {
    return Atomics.compareExchange(this.#cells, slotOf(seq), Slot.open, Slot.final) !== Slot.cancelled;
  }
}

const RUNNING = 0;
const Slot = { open: 0, cancelled: 1, final: 2 } as const;

function slotOf(seq: number): number {
  return 1 + (seq % CancelBoard.capacity);
}
