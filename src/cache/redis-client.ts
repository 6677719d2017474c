import { createRequire } from 'node:module';
import { UsageError } from '../errors/index.ts';

/** The little that is used of a client of the package `redis`. */
export interface RedisClient {
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>;
  destroy(): void;
  unref(): void;
}

export type CreateRedisClient = (options: object) => RedisClient;

/** @throws UsageError where the package is not installed */
export function loadRedis(): CreateRedisClient {
  try {
    const loaded = createRequire(import.meta.url)('redis') as { createClient: CreateRedisClient };
    return loaded.createClient;
  } catch (cause) {
    throw new UsageError('A cache with `redis` needs the package "redis": npm install redis', { cause });
  }
}
