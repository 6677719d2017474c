/** The target of the load: everything the client needs to know about the data. */
export interface Target {
  readonly id: number;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

export const ENDPOINTS = ['GET /cities/:id', 'GET /cities?q=', 'GET /nearby', 'POST /checkins'] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

/** Many users who each send their next request when the one before was answered. */
export interface LoadTask {
  readonly kind: 'load';
  readonly port: number;
  readonly users: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
  /** The same seed gives every user the same requests in the same order. */
  readonly seed: number;
  readonly targets: readonly Target[];
}

/** Ten slow requests at once, and at the same time one user who looks up cities. */
export interface BurstTask {
  readonly kind: 'burst';
  readonly port: number;
  readonly requests: number;
  readonly among: number;
  readonly targets: readonly Target[];
}

/** Users of the whole service, with a pause after each answer where they are to be calm. */
export interface MixTask extends Omit<LoadTask, 'kind'> {
  readonly kind: 'mix';
  readonly pauseMs: number;
}

/** The same call, again and again. */
export interface CallsTask {
  readonly kind: 'calls';
  readonly port: number;
  readonly path: string;
  readonly times: number;
}

export type Task = LoadTask | BurstTask | MixTask | CallsTask;

/** How long requests took, in milliseconds. */
export interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export interface LoadResult {
  readonly kind: 'load';
  /** Answers within the measured time, per second. */
  readonly requestsPerSecond: number;
  readonly checkInsPerSecond: number;
  readonly latency: Readonly<Record<Endpoint | 'all', Latency>>;
  /** Answers in each tenth of a second. */
  readonly timeline: readonly number[];
  /** Ids of the check-ins that were answered with 201, warm-up included. */
  readonly acknowledged: readonly number[];
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

export interface BurstResult {
  readonly kind: 'burst';
  /** From sending the first to having the last answer. */
  readonly totalMs: number;
  readonly lookUps: Latency;
}

export interface MixResult {
  readonly kind: 'mix';
  readonly requestsPerSecond: number;
  readonly latency: Latency;
  /** Of an answer with many rows, as it is sent, on average. */
  readonly bytesOfList: number;
  readonly failures: number;
  readonly firstFailure: string | undefined;
}

export interface CallsResult {
  readonly kind: 'calls';
  readonly latency: Latency;
}

export type Result = LoadResult | BurstResult | MixResult | CallsResult;

/** How far a load has come. */
export interface Moment {
  readonly kind: 'progress';
  readonly elapsedMs: number;
  readonly answered: number;
}

/** What the client process says. */
export type Report = Moment | { readonly kind: 'failed'; readonly message: string } | Result;
