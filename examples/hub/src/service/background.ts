import { Analyzer, type AnalyzerStats } from './analyzer.ts';
import { Scheduler, type SchedulerStats } from './scheduler.ts';
import type { Store } from './store.ts';

export interface BackgroundStats {
  readonly jobs: SchedulerStats;
  readonly analyzer: AnalyzerStats;
}

/** The scheduler and the analyzer, working on the same file as the HTTP API. */
export class Background {
  readonly #scheduler: Scheduler;
  readonly #analyzer: Analyzer;

  constructor(store: Store, options: { readonly analyzerPauseMs: number }) {
    this.#scheduler = new Scheduler(store);
    this.#analyzer = new Analyzer(store, options.analyzerPauseMs);
  }

  async start(): Promise<void> {
    await this.#scheduler.start();
    this.#analyzer.start();
  }

  stats(): BackgroundStats {
    return { jobs: this.#scheduler.stats(), analyzer: this.#analyzer.stats() };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#scheduler.stop(), this.#analyzer.stop()]);
  }
}
