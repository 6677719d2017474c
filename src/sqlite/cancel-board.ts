/**
 * What the main thread and one worker tell each other about running calls without a message: a worker inside
 * `sqlite3_step` reads none. Every call has a sequence number; its slot says how far it has come and whether
 * its end was asked for, and the running cell says which call the worker executes right now.
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

  /** Takes back a call that has not begun. @returns false when it has */
  withdraw(seq: number): boolean {
    return this.#move(seq, Slot.open, Slot.cancelled);
  }

  /**
   * Asks for the end of a call. `unstarted`: it will not run. `started`: it has no lasting effect unless its
   * answer says so. `final`: too late, the worker has begun to make its effect last.
   */
  cancel(seq: number): 'unstarted' | 'started' | 'final' {
    if (this.withdraw(seq)) return 'unstarted';
    if (this.#move(seq, Slot.started, Slot.stopping)) return 'started';
    return this.isFinal(seq) ? 'final' : 'started';
  }

  isFinal(seq: number): boolean {
    return Atomics.load(this.#cells, slotOf(seq)) === Slot.final;
  }

  /** The call that the worker executes, or 0. */
  get running(): number {
    return Math.abs(Atomics.load(this.#cells, RUNNING));
  }

  /**
   * Runs `interrupt` only if the worker executes `seq`, and keeps the worker from going on to its next
   * statement until `interrupt` returned. Without this an interrupt that comes a moment too late hits an
   * innocent statement. One that comes a moment too early has no effect: the call may be interrupted again.
   */
  interruptIfRunning(seq: number, interrupt: () => void): boolean {
    if (seq === 0 || Atomics.compareExchange(this.#cells, RUNNING, seq, -seq) !== seq) return false;
    try {
      interrupt();
    } finally {
      Atomics.store(this.#cells, RUNNING, seq);
      Atomics.notify(this.#cells, RUNNING);
    }
    return true;
  }

  isCancelled(seq: number): boolean {
    const slot = Atomics.load(this.#cells, slotOf(seq));
    return slot === Slot.cancelled || slot === Slot.stopping;
  }

  /** @returns false when the call was cancelled. One that ran in a group may start a second time, alone. */
  start(seq: number): boolean {
    if (!this.#move(seq, Slot.open, Slot.started) && this.isCancelled(seq)) return false;
    Atomics.store(this.#cells, RUNNING, seq);
    return true;
  }

  finish(seq: number): void {
    // Where that fails the main thread is inside interruptIfRunning; it takes microseconds.
    while (Atomics.compareExchange(this.#cells, RUNNING, seq, 0) !== seq)
      Atomics.wait(this.#cells, RUNNING, -seq);
  }

  /** From now on the call cannot be cancelled. @returns false when it was already. */
  finalize(seq: number): boolean {
    if (this.#move(seq, Slot.started, Slot.final) || this.#move(seq, Slot.open, Slot.final)) return true;
    // A member of a group whose COMMIT was refused runs again: what is final stays so.
    return this.isFinal(seq);
  }

  #move(seq: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#cells, slotOf(seq), from, to) === from;
  }
}

const RUNNING = 0;
const Slot = { open: 0, cancelled: 1, started: 2, stopping: 3, final: 4 } as const;

function slotOf(seq: number): number {
  return 1 + (seq % CancelBoard.capacity);
}
