import { setTimeout as sleep } from 'node:timers/promises';
import { Cron } from 'croner';
import type { DueJob, JobStore } from './store.ts';

/** Longest sleep: another process may plan a job meanwhile. */
const LONGEST_SLEEP_MS = 250;
/** A run that starts later than this after its time counts as late. */
export const ON_TIME_MS = 50;

export interface SchedulerStats {
  readonly runs: number;
  readonly onTime: number;
  readonly failed: number;
  /** How much later than planned the latest run began. */
  readonly worstDelayMs: number;
}

/** Runs the jobs of the `jobs` table when their cron expressions say so. */
export class Scheduler {
  readonly #store: JobStore;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #stats = { runs: 0, onTime: 0, failed: 0, worstDelayMs: 0 };

  constructor(store: JobStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Plans every job anew from now on, then runs what becomes due until `stop`. */
  async start(): Promise<void> {
    await this.planAll();
    this.#loop = this.#run();
  }

  /** Lets running jobs finish. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  stats(): SchedulerStats {
    return { ...this.#stats };
  }

  async planAll(): Promise<void> {
    const now = this.#now();
    const jobs = await this.#store.jobs();
    await Promise.all(jobs.map(({ id, cron }) => this.#store.planJob(id, nextRunMs(cron, now))));
  }

  /** Claims what is due and runs it, all at once. Resolves with the number of runs. */
  async runDue(): Promise<number> {
    const due = await this.#store.claimDueJobs(this.#now());
    const runs = await Promise.allSettled(due.map((job) => this.#runJob(job)));
    const failed = runs.find((run) => run.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return due.length;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const waitMs = await this.#untilNextDue();
        if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#stopping.signal });
        else await this.runDue();
      } catch (error) {
        if (this.#stopping.signal.aborted) return;
        console.error(error);
        this.#stats.failed += 1;
        await sleep(LONGEST_SLEEP_MS);
      }
    }
  }

  async #untilNextDue(): Promise<number> {
    const now = this.#now();
    const dueMs = await this.#store.nextDueMs(now);
    return Math.min((dueMs ?? Number.POSITIVE_INFINITY) - this.#now(), LONGEST_SLEEP_MS);
  }

  async #runJob(job: DueJob): Promise<void> {
    const startedMs = this.#now();
    let error: string | null = null;
    try {
      await this.#store.runAction(job.action);
    } catch (cause) {
      console.error(cause);
      error = cause instanceof Error ? cause.message : String(cause);
      this.#stats.failed += 1;
    }
    this.#count(startedMs - job.dueMs);
    // Counted from the time it was due, not from now: a late run must not swallow the one after it.
    const next = nextRunMs(job.cron, job.dueMs);
    await this.#store.finishJob({ job, startedMs, finishedMs: this.#now(), error, nextRunMs: next });
  }

  #count(delayMs: number): void {
    this.#stats.runs += 1;
    if (delayMs <= ON_TIME_MS) this.#stats.onTime += 1;
    this.#stats.worstDelayMs = Math.max(this.#stats.worstDelayMs, delayMs);
  }
}

/** The first time after `afterMs` that the expression names; null where there is none. */
function nextRunMs(cron: string, afterMs: number): number | null {
  return new Cron(cron).nextRun(new Date(afterMs))?.getTime() ?? null;
}
