import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import { maskUrl } from './mask-url.ts';

/** Where a value was written. */
export interface Origin {
  /** The key as written there: `pool.max`, `DB_POOL_MAX`, `database.sqlite.pool_size`. */
  readonly key: string;
  /** `options`, `environment`, `.env.local`, `config/database.yaml:7`, `millpond.config.ts`. */
  readonly source: string;
}

/** Collects what is wrong with every source, so that one error reports it all. */
export class Problems {
  readonly #problems: ConfigProblem[] = [];
  #cause: unknown;

  add({ key, source }: Origin, message: string): void {
    this.#problems.push({ key, source, message });
  }

  /** As `add`, for a fault that began with another error. */
  addCaused(origin: Origin, message: string, cause: unknown): void {
    this.add(origin, message);
    this.#cause ??= cause;
  }

  /** Whether a fault is about a file as a whole, or its syntax: then nobody knows what else it says. */
  get hasUnreadFile(): boolean {
    return this.#problems.some(({ key, source }) => source === key || source.startsWith(`${key}:`));
  }

  /** @throws ConfigError if anything was added. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems, { cause: this.#cause });
  }
}

const MAX_SHOWN = 60;

/** A wrong value as a message may show it: short, on one line, and never a password of an address. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return showText(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

/** An unknown key. It may be anything, even a pasted password with an @ in it. */
export function showKey(key: string): string {
  return /^[\w.$-]{1,60}$/.test(key) ? key : '(unreadable name)';
}

function showText(text: string): string {
  const safe = /:\/\/|@/.test(text) ? maskUrl(text) : text;
  return JSON.stringify(safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN)}…` : safe);
}
