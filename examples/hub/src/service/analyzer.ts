import { setTimeout as sleep } from 'node:timers/promises';
import { REPORT_NAMES, type ReportName, type ReportStore } from './store.ts';

export interface AnalyzerStats {
  readonly reports: number;
  readonly failed: number;
}

/** Works through the heavy reports, one after another, for as long as it runs. */
export class Analyzer {
  readonly #store: ReportStore;
  readonly #pauseMs: number;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();
  #stats = { reports: 0, failed: 0 };

  /** `pauseMs` is the rest between two reports. */
  constructor(store: ReportStore, pauseMs: number) {
    this.#store = store;
    this.#pauseMs = pauseMs;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Abandons the running report where the store can, or waits for it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  stats(): AnalyzerStats {
    return { ...this.#stats };
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const name of REPORT_NAMES) {
        await this.#report(name, signal);
        // Rejects when stopping, which the next line sees.
        await sleep(this.#pauseMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
      }
    }
  }

  async #report(name: ReportName, signal: AbortSignal): Promise<void> {
    try {
      await this.#store.runReport(name, signal);
      this.#stats.reports += 1;
    } catch (error) {
      if (signal.aborted) return;
      console.error(error);
      this.#stats.failed += 1;
    }
  }
}
