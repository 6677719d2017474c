import { availableParallelism } from 'node:os';
import { runInRootContext } from '../async/index.ts';
import type { LeaseLike, Shape } from '../driver/index.ts';
import type { PlacedCall, SqliteConnection } from './connection.ts';
import type { CostModel } from './cost-model.ts';
import { ENGINE_HOLDERS, fullError, type LaneSource } from './lane.ts';

/** A statement that runs longer than this while others stand behind it is taken for a heavy one. */
const STALL_MS = 20;
const LOOK_EVERY_MS = 10;
/** Another reader joins when every one has this many calls under way. */
const CALLS_BEFORE_SPREAD = 8;

/** A read that was asked for; its promise is settled by the connection that runs it. */
export interface ReadTask {
  readonly shape: Shape;
  readonly call: PlacedCall;
  readonly cost: CostModel;
  resolve(answer: unknown): void;
  reject(error: unknown): void;
}

/** A reader that the light reads share. */
interface SharedReader {
  readonly lease: LeaseLike<SqliteConnection>;
  readonly tasks: Set<ReadTask>;
  /** What ran at the last look, and since when. */
  runningSeq: number;
  runningSince: number;
}

export interface ReadLanesOptions {
  readonly maxReaders: number;
  readonly maxWaiting: number;
}

/**
 * Reads outside transactions. Light ones share readers, many on each at once; a heavy one has a reader for itself, and
 * fewer heavy ones are admitted than there are cores and readers, so that light ones always find both.
 * A statement is heavy when its recent runs were. One that turns out to be (it is still running when others wait behind
 * it) keeps its reader, and those behind it move to another: reads may run anywhere.
 */
export class ReadLanes {
  readonly #source: LaneSource;
  readonly #options: ReadLanesOptions;
  readonly #maxHeavy: number;
  readonly #maxShared: number;
  #shared: SharedReader[] = [];
  #queue: ReadTask[] = [];
  #heavyQueue: ReadTask[] = [];
  #heavyRunning = 0;
  #acquiring = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  #releaseScheduled = false;
  /** How often reads were moved away from behind a slow one. */
  moved = 0;

  constructor(source: LaneSource, options: ReadLanesOptions, cores: number = availableParallelism()) {
    this.#source = source;
    this.#options = options;
    this.#maxHeavy = Math.max(1, Math.min(options.maxReaders, cores) - 1);
    this.#maxShared = Math.max(1, options.maxReaders - 1);
  }

  /** Calls in line or under way. */
  get pending(): number {
    let sent = 0;
    for (const { tasks } of this.#shared) sent += tasks.size;
    return this.#queue.length + this.#heavyQueue.length + this.#heavyRunning + sent;
  }

  submit(task: ReadTask): void {
    if (this.#queue.length + this.#heavyQueue.length >= this.#options.maxWaiting) {
      return task.reject(fullError('readers', this.#queue.length + this.#heavyQueue.length));
    }
    if (task.cost.weight !== 'heavy') return this.#submitLight(task);
    this.#heavyQueue.push(task);
    this.#admitHeavy();
  }

  #submitLight(task: ReadTask): void {
    const reader = this.#queue.length === 0 ? this.#leastBusy() : undefined;
    if (reader !== undefined) return this.#send(reader, task);
    this.#queue.push(task);
    this.#addReader();
  }

  #leastBusy(): SharedReader | undefined {
    if (this.#shared.length === 0) return this.#tryAddReader();
    let best: SharedReader | undefined;
    for (const reader of this.#shared) {
      if (!reader.lease.resource.usable || !reader.lease.resource.hasRoom) continue;
      if (best === undefined || reader.tasks.size < best.tasks.size) best = reader;
    }
    // Somebody waits for a lease: one reader is let go as soon as it is free.
    if (best !== undefined && this.#source.waiting > 0 && best.tasks.size > 0) return undefined;
    if (best === undefined || best.tasks.size < CALLS_BEFORE_SPREAD) return best;
    return this.#shared.length < this.#maxShared ? (this.#tryAddReader() ?? best) : best;
  }

  #tryAddReader(): SharedReader | undefined {
    const lease = this.#source.tryAcquire(ENGINE_HOLDERS.sharedReads);
    return lease === undefined ? undefined : this.#adopt(lease);
  }

  #addReader(): void {
    if (this.#acquiring > 0 || this.#shared.length >= this.#maxShared) return;
    this.#acquiring += 1;
    this.#source.acquire({ holder: ENGINE_HOLDERS.sharedReads }).then(
      (lease) => {
        this.#acquiring -= 1;
        const reader = this.#adopt(lease);
        this.#sendQueued(reader);
        if (reader.tasks.size === 0) this.#scheduleRelease();
      },
      (error: unknown) => {
        this.#acquiring -= 1;
        const queue = this.#queue;
        this.#queue = [];
        for (const task of queue) task.reject(error);
      },
    );
  }

  #adopt(lease: LeaseLike<SqliteConnection>): SharedReader {
    const reader: SharedReader = { lease, tasks: new Set(), runningSeq: 0, runningSince: 0 };
    this.#shared.push(reader);
    lease.resource.onAnswered = () => this.#onAnswered(reader);
    return reader;
  }

  #send(reader: SharedReader, task: ReadTask): void {
    reader.tasks.add(task);
    this.#watch();
    const ended = () => reader.tasks.delete(task);
    this.#run(reader.lease.resource, task, ended, () => {
      ended();
      this.moved += 1;
      this.#submitLight(task);
    });
  }

  #run(connection: SqliteConnection, task: ReadTask, ended: () => void, onWithdrawn: () => void): void {
    const onExecuted = (micros: number, rows: number) => task.cost.recordWorker(micros, rows);
    connection.executeShared(task.shape, task.call, { onExecuted, onWithdrawn }).then(
      (answer) => {
        ended();
        task.resolve(answer);
      },
      (error: unknown) => {
        ended();
        task.reject(error);
      },
    );
  }

  #sendQueued(reader: SharedReader): void {
    const { resource } = reader.lease;
    let sent = 0;
    while (sent < this.#queue.length && resource.hasRoom) this.#send(reader, this.#queue[sent++]!);
    this.#queue = this.#queue.slice(sent);
  }

  #onAnswered(reader: SharedReader): void {
    if (!reader.lease.resource.usable) return this.#drop(reader);
    if (this.#queue.length > 0 && this.#source.waiting === 0) this.#sendQueued(reader);
    if (reader.lease.resource.inFlight > 0) return;
    if (this.#source.waiting > 0) this.#drop(reader);
    else this.#scheduleRelease();
  }

  #scheduleRelease(): void {
    if (this.#releaseScheduled) return;
    this.#releaseScheduled = true;
    // Not at once: the callers that were just answered are about to ask for more.
    setImmediate(() => {
      this.#releaseScheduled = false;
      for (const reader of [...this.#shared]) if (reader.lease.resource.inFlight === 0) this.#drop(reader);
    });
  }

  #drop(reader: SharedReader): void {
    this.#shared = this.#shared.filter((other) => other !== reader);
    release(reader.lease);
    if (this.#queue.length > 0) this.#addReader();
  }

  #admitHeavy(): void {
    while (this.#heavyRunning < this.#maxHeavy && this.#heavyQueue.length > 0) {
      void this.#runHeavy(this.#heavyQueue.shift()!);
    }
  }

  async #runHeavy(task: ReadTask): Promise<void> {
    this.#heavyRunning += 1;
    try {
      const lease = await this.#source.acquire({ holder: ENGINE_HOLDERS.heavyRead, signal: task.call.options.signal });
      await new Promise<void>((ended) => this.#run(lease.resource, task, ended, ended));
      release(lease);
    } catch (error) {
      task.reject(error);
    } finally {
      this.#heavyRunning -= 1;
      this.#admitHeavy();
    }
  }

  #watch(): void {
    this.#lookTimer ??= runInRootContext(() => setInterval(() => this.#look(), LOOK_EVERY_MS)).unref();
  }

  /** Looks for a reader that a single statement keeps busy while others stand behind it. */
  #look(): void {
    const now = performance.now();
    for (const reader of [...this.#shared]) {
      const running = reader.lease.resource.worker.runningCall;
      if (running === undefined || running.seq !== reader.runningSeq) {
        reader.runningSeq = running?.seq ?? 0;
        reader.runningSince = now;
      } else if (now - reader.runningSince > STALL_MS) {
        this.#setApart(reader);
      }
    }
    if (this.#shared.every((reader) => reader.tasks.size === 0)) this.#stopLooking();
  }

  #stopLooking(): void {
    clearInterval(this.#lookTimer);
    this.#lookTimer = undefined;
  }

  /** The slow statement keeps the reader until it ends; the others are sent again. */
  #setApart(reader: SharedReader): void {
    this.#shared = this.#shared.filter((other) => other !== reader);
    this.#heavyRunning += 1;
    reader.lease.resource.onAnswered = () => {
      if (reader.lease.resource.inFlight > 0 && reader.lease.resource.usable) return;
      this.#heavyRunning -= 1;
      release(reader.lease);
      this.#admitHeavy();
    };
    reader.lease.resource.worker.withdrawUnstarted();
  }
}

function release(lease: LeaseLike<SqliteConnection>): void {
  lease.resource.onAnswered = undefined;
  lease.release(lease.resource.usable ? 'reuse' : 'discard');
}
