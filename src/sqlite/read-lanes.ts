import { availableParallelism } from 'node:os';
import { AfterTurn, runInRootContext } from '../async/index.ts';
import { acquireWithin, type LeaseLike } from '../driver/index.ts';
import { CallQueue } from './call-queue.ts';
import type { SqliteConnection } from './connection.ts';
import { fullError } from './full-error.ts';
import { ENGINE_HOLDERS, EXPRESS_READERS, giveBack, type LaneSource } from './lane.ts';
import type { PendingCall } from './pending-call.ts';

/** A statement that runs longer than this while others stand behind it counts as heavy. */
const STALL_MS = 20;
const LOOK_EVERY_MS = 10;
/** Another reader joins when every one has this many calls under way. */
const CALLS_BEFORE_SPREAD = 8;

/** A reader that the light reads share. */
interface SharedReader {
  readonly source: LaneSource;
  readonly lease: LeaseLike<SqliteConnection>;
  /** What ran at the last look, and since when. */
  runningSeq: number;
  runningSince: number;
}

export interface ReadSources {
  /** Readers for light statements alone: nobody else can lease them all. */
  readonly express: LaneSource;
  /** The readers that leases, transactions and heavy statements take. */
  readonly readers: LaneSource;
  readonly maxReaders: number;
}

/**
 * Reads outside transactions. Light ones share readers, many calls on each at once, among them one that is
 * kept for them; a heavy one has a reader to itself, and no more heavy ones run at once than there are cores.
 *
 * A statement is heavy when its recent runs were. One that turns out to be (it is still running when others
 * wait behind it) keeps its reader, and those behind it move to another: reads may run anywhere.
 */
export class ReadLanes {
  /** How often a read was moved away from behind a slow one. */
  moved = 0;
  readonly #sources: ReadSources;
  readonly #maxWaiting: number;
  readonly #maxHeavy: number;
  readonly #queue = new CallQueue<PendingCall>();
  readonly #heavyQueue = new CallQueue<PendingCall>();
  #shared: SharedReader[] = [];
  #heavyRunning = 0;
  /** Set while heavy statements are held back; called when none runs. */
  #onNoneHeavy: (() => void) | undefined;
  /** Where a reader for the light reads has been asked for. */
  readonly #acquiring = new Set<LaneSource>();
  /** Express readers that a slow statement keeps. */
  #expressApart = 0;
  #lookTimer: NodeJS.Timeout | undefined;
  /** Not at once: the callers that were just answered are about to ask for more. */
  readonly #givingBack = new AfterTurn(() => this.giveBackIdle());

  constructor(sources: ReadSources, maxWaiting: number, cores: number = availableParallelism()) {
    this.#sources = sources;
    this.#maxWaiting = maxWaiting;
    this.#maxHeavy = Math.max(1, Math.min(sources.maxReaders, cores));
  }

  /** Calls in line or under way. */
  get pending(): number {
    let sent = 0;
    for (const { lease } of this.#shared) sent += lease.resource.worker.inFlight;
    return this.#queue.length + this.#heavyQueue.length + this.#heavyRunning + sent;
  }

  readonly submit = (call: PendingCall): void => {
    const waiting = this.#queue.length + this.#heavyQueue.length;
    if (waiting >= this.#maxWaiting) return call.reject(fullError('readers', waiting));
    this.#place(call);
  };

  #place(call: PendingCall): void {
    if (call.cost!.weight !== 'heavy') return this.#submitLight(call);
    this.#heavyQueue.push(call);
    this.#admitHeavy();
  }

  /**
   * Begins no heavy statement until `release` is called; `noneRuns` settles when those under way have ended.
   * While there is always one of them, each with its snapshot, the log can never start over:
   * https://sqlite.org/wal.html#avoiding_excessively_large_wal_files
   */
  holdHeavy(): { readonly noneRuns: Promise<void>; release(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onNoneHeavy = resolve;
    if (this.#heavyRunning === 0) resolve();
    const release = () => {
      resolve();
      this.#onNoneHeavy = undefined;
      this.#admitHeavy();
    };
    return { noneRuns: promise, release };
  }

  #submitLight(call: PendingCall): void {
    const reader = this.#queue.length === 0 ? this.#leastBusy() : undefined;
    if (reader !== undefined) return this.#send(reader, call);
    this.#queue.push(call);
    this.#addReaders();
  }

  #leastBusy(): SharedReader | undefined {
    let best: SharedReader | undefined;
    for (const reader of this.#shared) {
      const { worker } = reader.lease.resource;
      if (!worker.usable || !worker.hasRoom) continue;
      if (best === undefined || worker.inFlight < best.lease.resource.worker.inFlight) best = reader;
    }
    if (best === undefined)
      return this.#tryIdle(this.#sources.express) ?? this.#tryIdle(this.#sources.readers);
    if (best.lease.resource.worker.inFlight >= CALLS_BEFORE_SPREAD) this.#addSpare();
    return best;
  }

  /** An open reader that nobody uses or waits for: a thread that must be started first takes much longer. */
  #tryIdle(source: LaneSource): SharedReader | undefined {
    const lease = source.tryAcquire(ENGINE_HOLDERS.sharedReads);
    return lease === undefined ? undefined : this.#adopt(source, lease);
  }

  /** Another core for the light reads, unless leases and heavy statements want it. */
  #addSpare(): void {
    const { readers, maxReaders } = this.#sources;
    if (readers.waiting > 0 || this.#heavyRunning > 0 || this.#shared.length >= maxReaders) return;
    this.#addReader(readers);
  }

  /**
   * For the calls in line: an express reader, or any other one while slow statements keep the express ones.
   */
  #addReaders(): void {
    const { express, readers } = this.#sources;
    this.#addReader(express);
    if (this.#expressApart >= EXPRESS_READERS) this.#addReader(readers);
  }

  #addReader(source: LaneSource): void {
    if (this.#acquiring.has(source)) return;
    this.#acquiring.add(source);
    const since = performance.now();
    source.acquire({ holder: ENGINE_HOLDERS.sharedReads }).then(
      (lease) => {
        this.#acquiring.delete(source);
        const reader = this.#adopt(source, lease);
        this.#sendQueued(reader);
        if (lease.resource.worker.inFlight === 0) this.#givingBack.schedule();
      },
      (error: unknown) => {
        this.#acquiring.delete(source);
        this.#onNoReader(error, since);
      },
    );
  }

  /**
   * The wait for a reader is over. Others may still serve the calls in line, and later ones may go on
   * waiting.
   */
  #onNoReader(error: unknown, since: number): void {
    if (this.#shared.length > 0 || this.#acquiring.size > 0) return;
    this.#queue.rejectIf(
      ({ startedAt }) => startedAt <= since,
      () => error,
    );
    if (this.#queue.length > 0) this.#addReaders();
  }

  #adopt(source: LaneSource, lease: LeaseLike<SqliteConnection>): SharedReader {
    const reader: SharedReader = { source, lease, runningSeq: 0, runningSince: 0 };
    this.#shared.push(reader);
    lease.resource.worker.onAnswered = () => this.#onAnswered(reader);
    return reader;
  }

  #send(reader: SharedReader, call: PendingCall): void {
    this.#lookTimer ??= runInRootContext(() => setInterval(() => this.#look(), LOOK_EVERY_MS)).unref();
    reader.lease.resource.worker.send(call);
  }

  #sendQueued(reader: SharedReader): void {
    const { worker } = reader.lease.resource;
    while (this.#queue.length > 0 && worker.hasRoom) this.#send(reader, this.#queue.shift()!);
  }

  #onAnswered(reader: SharedReader): void {
    const { worker } = reader.lease.resource;
    if (!worker.usable) return this.#abandon(reader);
    if (this.#queue.length > 0) this.#sendQueued(reader);
    if (worker.inFlight > 0) return;
    if (this.#sources.readers.waiting > 0) this.#drop(reader);
    else this.#givingBack.schedule();
  }

  /** Ends the moment that readers are kept for those who were just answered. */
  giveBackIdle(): void {
    for (const reader of [...this.#shared])
      if (reader.lease.resource.worker.inFlight === 0) this.#drop(reader);
  }

  #drop(reader: SharedReader): void {
    this.#shared = this.#shared.filter((other) => other !== reader);
    giveBack(reader.lease);
    if (this.#queue.length > 0) this.#addReaders();
  }

  /** Its thread has ended, or is inside a statement that nothing stops: those behind it need not wait. */
  #abandon(reader: SharedReader): void {
    const { worker } = reader.lease.resource;
    const behind = worker.withdrawReads();
    this.#drop(reader);
    this.#placeAgain(behind);
  }

  /** They were accepted before: the limit of the line is for new calls only. */
  #placeAgain(calls: readonly PendingCall[]): void {
    this.moved += calls.length;
    for (const call of calls) this.#place(call);
  }

  #admitHeavy(): void {
    if (this.#onNoneHeavy !== undefined) return;
    while (this.#heavyRunning < this.#maxHeavy && this.#heavyQueue.length > 0) {
      this.#heavyRunning += 1;
      void this.#runHeavy(this.#heavyQueue.shift()!);
    }
  }

  async #runHeavy(call: PendingCall): Promise<void> {
    try {
      const lease = await acquireWithin(this.#sources.readers, call, ENGINE_HOLDERS.heavyRead);
      this.#untilIdle(lease, () => undefined);
      lease.resource.worker.send(call);
    } catch (error) {
      call.reject(error);
      this.#endHeavy();
    }
  }

  /** Keeps the reader out of the others' way until everything on it is answered. */
  #untilIdle(lease: LeaseLike<SqliteConnection>, onIdle: () => void): void {
    const { worker } = lease.resource;
    worker.onAnswered = () => {
      if (worker.inFlight > 0 && worker.usable) return;
      giveBack(lease);
      onIdle();
      this.#endHeavy();
    };
  }

  #endHeavy(): void {
    this.#heavyRunning -= 1;
    if (this.#heavyRunning === 0) this.#onNoneHeavy?.();
    this.#admitHeavy();
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
        running.cost?.recordStall((now - reader.runningSince) * 1000);
        this.#setApart(reader);
      }
    }
    if (this.#shared.length === 0) this.#stopLooking();
  }

  /** The slow statement keeps the reader until it ends; those behind it are sent again. */
  #setApart(reader: SharedReader): void {
    this.#shared = this.#shared.filter((other) => other !== reader);
    this.#heavyRunning += 1;
    const isExpress = reader.source === this.#sources.express;
    if (isExpress) this.#expressApart += 1;
    this.#untilIdle(reader.lease, () => {
      if (isExpress) this.#expressApart -= 1;
    });
    this.#placeAgain(reader.lease.resource.worker.withdrawReads());
  }

  #stopLooking(): void {
    clearInterval(this.#lookTimer);
    this.#lookTimer = undefined;
  }
}
