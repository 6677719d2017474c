import type { RateLimitStore, Taken, WindowPolicy } from './sliding-window.ts';

/** What is used of a client of the package `redis`, which the application connects and closes. */
export interface RedisScripts {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/**
 * The same as `SlidingWindow`, in one step that nothing comes between, by the clock of the server. A list
 * holds the times, the newest first.
 */
const SCRIPT = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + clock[2] / 1000
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and tonumber(oldest) <= now - window do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local count = redis.call('LLEN', KEYS[1])
local free = math.ceil((tonumber(oldest) or now) + window - now)
if count >= limit then return {0, 0, free} end
redis.call('LPUSH', KEYS[1], string.format('%.3f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window))
return {1, limit - count - 1, free}
`;

/** Counts in Redis, for all processes together. */
export class RedisWindow implements RateLimitStore {
  readonly #client: RedisScripts;
  readonly #prefix: string;

  constructor(client: RedisScripts, prefix: string = 'millpond:limit:') {
    this.#client = client;
    this.#prefix = prefix;
  }

  async take(key: string, { limit, windowMs }: WindowPolicy): Promise<Taken> {
    const keys = [this.#prefix + key];
    const answer = await this.#client.eval(SCRIPT, { keys, arguments: [String(limit), String(windowMs)] });
    if (!Array.isArray(answer) || !answer.every((one) => typeof one === 'number') || answer.length !== 3) {
      throw new TypeError('Redis answered something other than three numbers.');
    }
    const [allowed, remaining, freeInMs] = answer as [number, number, number];
    return { allowed: allowed === 1, remaining, freeInMs };
  }
}
