import { runInRootContext, type Clock, type Timer } from '../async/index.ts';
import { ConnectionError, TimeoutError } from '../errors/index.ts';
import type { CreateRedisClient, RedisClient } from './redis-client.ts';
import type { RedisScript } from './redis-scripts.ts';
import type { ResolvedRedisOptions } from './redis-options.ts';

export interface ScriptCall {
  readonly script: RedisScript;
  readonly keys: readonly string[];
  readonly args: readonly string[];
}

interface RedisLinkParts {
  readonly options: ResolvedRedisOptions;
  readonly channel: string;
  readonly createClient: CreateRedisClient;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly onMessage: (message: string) => void;
  /** Called with each new connection, before it is used for anything else. */
  readonly onOpen: () => Promise<void>;
  readonly onReady: () => void;
  readonly onLost: (error: Error) => void;
}

/** Two connections: one for commands, one that listens, and therefore takes no other commands. */
interface Session {
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
}

/** Commands that wait for their answers, at most. */
const MOST_WAITING = 1_000;
const LONGEST_BREAK_MS = 30_000;

/**
 * The connection to Redis. It connects and reconnects in the background; a call is answered, or rejected,
 * within `cacheTimeoutMs`, and rejected at once while there is no connection. After several failures in a row
 * the connection is given up, and for a while there is none: nobody waits for a server that does not answer.
 */
export class RedisLink {
  readonly #parts: RedisLinkParts;
  #session: Session | undefined;
  #state: 'connecting' | 'ready' | 'open' | 'closed' = 'connecting';
  #failures = 0;
  #breaks = 0;
  #timer: Timer | undefined;

  constructor(parts: RedisLinkParts) {
    this.#parts = parts;
  }

  get state(): 'connecting' | 'ready' | 'open' | 'closed' {
    return this.#state;
  }

  /** Never rejects, and nobody needs to wait for it. */
  async connect(): Promise<void> {
    const { options, clock, channel, onMessage, onOpen, onReady } = this.#parts;
    this.#state = 'connecting';
    const session = runInRootContext(() => this.#createSession());
    this.#session = session;
    const timer = clock.after(options.connectTimeoutMs, () => {
      this.#lose(
        session,
        new ConnectionError(`Redis took longer than ${options.connectTimeoutMs} ms to answer.`),
      );
    });
    try {
      await Promise.all([session.commands.connect(), session.subscriber.connect()]);
      for (const client of [session.commands, session.subscriber]) client.unref();
      await session.subscriber.subscribe(channel, (message) => onMessage(message));
      await onOpen();
      if (this.#session !== session) return;
      this.#state = 'ready';
      this.#failures = 0;
      this.#breaks = 0;
      onReady();
    } catch (error) {
      this.#lose(session, error);
    } finally {
      timer.cancel();
    }
  }

  /** @throws whatever is wrong: the caller goes on without */
  async call(call: ScriptCall): Promise<unknown> {
    if (this.#state !== 'ready') throw new ConnectionError('There is no connection to Redis.');
    return this.callNow(call);
  }

  /** The same on a connection that is still being made. */
  async callNow({ script, keys, args }: ScriptCall): Promise<unknown> {
    const session = this.#session;
    if (session === undefined) throw new ConnectionError('There is no connection to Redis.');
    const rest = [String(keys.length), ...keys, ...args];
    try {
      const answer = await this.#within(runInRootContext(() => evaluate(session.commands, script, rest)));
      this.#failures = 0;
      return answer;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures >= this.#parts.options.breakAfter) this.#lose(session, error);
      throw error;
    }
  }

  close(): void {
    this.#state = 'closed';
    this.#timer?.cancel();
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) end(session);
  }

  #createSession(): Session {
    const { createClient, options } = this.#parts;
    const create = (): RedisClient =>
      createClient({
        url: options.url,
        // The form that every server, and everything compatible with it, understands.
        RESP: 2,
        disableClientInfo: true,
        // A command that cannot be sent now is not wanted later.
        disableOfflineQueue: true,
        commandsQueueMaxLength: MOST_WAITING,
        socket: { connectTimeout: options.connectTimeoutMs, reconnectStrategy: false },
      });
    const session = { commands: create(), subscriber: create() };
    for (const client of [session.commands, session.subscriber]) {
      client.on('error', (error) => this.#lose(session, error));
      client.on('end', () => this.#lose(session, new ConnectionError('Redis ended the connection.')));
    }
    return session;
  }

  /** Once for each session; later errors only belong to its end. */
  #lose(session: Session, cause: unknown): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    end(session);
    const { clock, random, options, onLost } = this.#parts;
    this.#state = 'open';
    this.#failures = 0;
    const breakMs = Math.min(options.breakMs * 2 ** this.#breaks, LONGEST_BREAK_MS);
    this.#breaks += 1;
    // Many processes may have lost the same server, and would otherwise all come back at once.
    this.#timer = clock.after(breakMs * (0.5 + 0.5 * random()), () => void this.connect());
    onLost(cause instanceof Error ? cause : new ConnectionError('Redis failed.', { cause }));
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const { clock, options } = this.#parts;
    const timeoutMs = options.cacheTimeoutMs;
    const { promise, reject } = Promise.withResolvers<never>();
    const giveUp = (): void =>
      reject(new TimeoutError(`Redis took longer than ${timeoutMs} ms.`, { timeoutMs }));
    const timer = clock.after(timeoutMs, giveUp, { keepAlive: true });
    // If it is late, nobody is left to be told how it ended.
    work.catch(() => undefined);
    try {
      return await Promise.race([work, promise]);
    } finally {
      timer.cancel();
    }
  }
}

/** By its digest; a server that does not know the script yet is given its text. */
async function evaluate(
  client: RedisClient,
  { sha, text }: RedisScript,
  rest: readonly string[],
): Promise<unknown> {
  try {
    return await client.sendCommand(['EVALSHA', sha, ...rest]);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.sendCommand(['EVAL', text, ...rest]);
  }
}

function end(session: Session): void {
  for (const client of [session.commands, session.subscriber]) {
    try {
      client.destroy();
    } catch {
      // It was never open.
    }
  }
}
