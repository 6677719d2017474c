import {
  ENDPOINTS,
  type BurstResult,
  type Endpoint,
  type Latency,
  type LoadResult,
} from '../load/protocol.ts';
import type { BackgroundStats } from '../service/background.ts';
import type { EventLoopDelay } from './event-loop.ts';

/** What one round of one version showed. */
export interface Round {
  readonly load: LoadResult;
  readonly burst: BurstResult;
  readonly eventLoop: EventLoopDelay;
  readonly background: BackgroundStats;
  readonly writesPerCommit: number;
}

/** The medians of all rounds of one version; counts are sums. */
export interface Figures {
  readonly requestsPerSecond: number;
  readonly checkInsPerSecond: number;
  readonly writesPerCommit: number;
  readonly latency: Readonly<Record<Endpoint | 'all', Latency>>;
  readonly eventLoop: EventLoopDelay;
  readonly burstMs: number;
  readonly lookUpsInBurst: Latency;
  readonly timeline: readonly number[];
  readonly jobRuns: number;
  readonly jobsOnTime: number;
  readonly worstJobDelayMs: number;
  readonly reports: number;
  readonly failures: number;
  readonly firstFailure: string | undefined;
  readonly acknowledged: readonly number[];
}

export function toFigures(rounds: readonly Round[]): Figures {
  const middle = (pick: (round: Round) => number): number => median(rounds.map(pick));
  const sum = (pick: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + pick(round), 0);
  const latency = (name: Endpoint | 'all') =>
    [name, medianLatency(rounds.map(({ load }) => load.latency[name]))] as const;
  return {
    requestsPerSecond: middle(({ load }) => load.requestsPerSecond),
    checkInsPerSecond: middle(({ load }) => load.checkInsPerSecond),
    writesPerCommit: middle((round) => round.writesPerCommit),
    latency: Object.fromEntries([...ENDPOINTS, 'all' as const].map(latency)) as Figures['latency'],
    eventLoop: {
      p50: middle(({ eventLoop }) => eventLoop.p50),
      p99: middle(({ eventLoop }) => eventLoop.p99),
      max: middle(({ eventLoop }) => eventLoop.max),
    },
    burstMs: middle(({ burst }) => burst.totalMs),
    lookUpsInBurst: medianLatency(rounds.map(({ burst }) => burst.lookUps)),
    timeline: rounds.flatMap(({ load }) => load.timeline),
    jobRuns: sum(({ background }) => background.jobs.runs),
    jobsOnTime: sum(({ background }) => background.jobs.onTime),
    worstJobDelayMs: middle(({ background }) => background.jobs.worstDelayMs),
    reports: sum(({ background }) => background.analyzer.reports),
    failures: sum(
      ({ load, background }) => load.failures + background.jobs.failed + background.analyzer.failed,
    ),
    firstFailure: rounds.find(({ load }) => load.firstFailure !== undefined)?.load.firstFailure,
    acknowledged: rounds.flatMap(({ load }) => load.acknowledged),
  };
}

function medianLatency(of: readonly Latency[]): Latency {
  const middle = (pick: (latency: Latency) => number): number => median(of.map(pick));
  return {
    count: middle(({ count }) => count),
    p50: middle(({ p50 }) => p50),
    p95: middle(({ p95 }) => p95),
    p99: middle(({ p99 }) => p99),
    max: middle(({ max }) => max),
  };
}

/** The middle value; of an even number of values, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? 0) + upper) / 2;
}
