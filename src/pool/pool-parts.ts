import type { Clock } from '../async/index.ts';
import type { Announcer } from '../events/index.ts';
import type { ResourceFactory } from './factory.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';

/** What a pool is made of. */
export interface PoolParts<Resource> {
  readonly name: string;
  readonly factory: ResourceFactory<Resource>;
  readonly options: ResolvedPoolOptions;
  readonly announce: Announcer;
  readonly clock: Clock;
  /** 0 to 1, for jitter. @default Math.random */
  readonly random?: () => number;
}

/** The same with nothing missing. */
export type ResolvedPoolParts<Resource> = Required<PoolParts<Resource>>;
