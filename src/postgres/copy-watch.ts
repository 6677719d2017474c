import { TimeoutError } from '../errors/index.ts';

export interface CopyLimits {
  readonly name: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Limit of the whole COPY, in ms; 0 = none, undefined = only the next one applies. */
  readonly timeoutMs: number | undefined;
  /** Longest time without progress, in ms; 0 = none. Applies where `timeoutMs` is undefined. */
  readonly idleMs: number;
}

/**
 * What can end a COPY early. A large one takes its time, so by default only the time without progress is
 * limited, whether the server, the network or the other end of the data is the reason.
 */
export class CopyWatch {
  readonly #limits: CopyLimits;
  readonly #onEnd: (reason: unknown) => void;
  readonly #onAbort: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: CopyLimits, onEnd: (reason: unknown) => void) {
    this.#limits = limits;
    this.#onEnd = onEnd;
    this.#onAbort = () => onEnd(limits.signal!.reason);
  }

  start(): void {
    const { signal, timeoutMs, idleMs } = this.#limits;
    if (signal?.aborted === true) return this.#onAbort();
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    const limitMs = timeoutMs ?? idleMs;
    if (limitMs > 0) this.#timer = setTimeout(() => this.#onEnd(this.#timeoutError(limitMs)), limitMs);
  }

  /** Data moved. */
  progress(): void {
    if (this.#limits.timeoutMs === undefined) this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#limits.signal?.removeEventListener('abort', this.#onAbort);
  }

  #timeoutError(limitMs: number): TimeoutError {
    const { name, timeoutMs } = this.#limits;
    const what = name === undefined ? 'The COPY' : `Query "${name}"`;
    const how = timeoutMs === undefined ? 'moved no data for' : 'did not end within';
    return new TimeoutError(`${what} ${how} ${limitMs} ms.`, { timeoutMs: limitMs, rollback: 'confirmed' });
  }
}
