interface Limits {
  readonly maxBatchBytes: number;
  readonly maxQueueBytes: number;
  readonly whenFull: 'drop' | 'wait';
}

/** Lines that wait to be shipped, oldest first, and those that are under way. Bounded in bytes. */
export class LineQueue {
  readonly #limits: Limits;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Of `#waiting`: those before it are gone. Moving the array for each line would take quadratic time. */
  #head = 0;
  #underWay: readonly string[] = [];
  #underWayBytes = 0;
  /** Of one request; less than the limit where a server takes no more. */
  #batchBytes: number;
  #isClosed = false;
  #written = 0;
  #dropped = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#batchBytes = limits.maxBatchBytes;
  }

  get length(): number {
    return this.#waiting.length - this.#head + this.#underWay.length;
  }

  get bytes(): number {
    return this.#waitingBytes + this.#underWayBytes;
  }

  get written(): number {
    return this.#written;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get isFull(): boolean {
    return this.bytes >= this.#limits.maxQueueBytes;
  }

  /** True when what waits fills a request. */
  get hasBatch(): boolean {
    return this.#waitingBytes >= this.#batchBytes;
  }

  add(line: string): void {
    const bytes = Buffer.byteLength(line);
    this.#written += 1;
    if (this.#isClosed || bytes > Math.min(this.#limits.maxBatchBytes, this.#limits.maxQueueBytes)) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (this.#limits.whenFull === 'drop') this.#makeRoom();
  }

  /** The next request's lines. They count as waiting until they are settled. */
  take(): readonly string[] {
    const lines: string[] = [];
    let bytes = 0;
    for (; this.#head < this.#waiting.length; this.#head += 1) {
      const line = this.#waiting[this.#head]!;
      bytes += Buffer.byteLength(line);
      if (lines.length > 0 && bytes > this.#batchBytes) break;
      lines.push(line);
    }
    this.#compact();
    this.#underWay = lines;
    this.#underWayBytes = sizeOf(lines);
    this.#waitingBytes -= this.#underWayBytes;
    return lines;
  }

  /** The lines under way are settled, except for these, which go first again. */
  settle(again: readonly string[]): void {
    this.#underWay = [];
    this.#underWayBytes = 0;
    if (again.length === 0) return;
    this.#waiting = [...again, ...this.#waiting.slice(this.#head)];
    this.#head = 0;
    this.#waitingBytes += sizeOf(again);
  }

  /** From now on requests have at most half of what is under way. */
  halve(): void {
    this.#batchBytes = Math.floor(this.#underWayBytes / 2);
  }

  close(): void {
    this.#isClosed = true;
    this.#dropped += this.#waiting.length - this.#head;
    this.#waiting = [];
    this.#head = 0;
    this.#waitingBytes = 0;
  }

  #makeRoom(): void {
    while (this.bytes > this.#limits.maxQueueBytes && this.#head < this.#waiting.length) {
      this.#waitingBytes -= Buffer.byteLength(this.#waiting[this.#head]!);
      this.#head += 1;
      this.#dropped += 1;
    }
    this.#compact();
  }

  #compact(): void {
    if (this.#head < 1_000 && this.#head < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

function sizeOf(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
}
