import { randomUUID } from 'node:crypto';
import type { Clock } from '../async/index.ts';
import { ConnectionError } from '../errors/index.ts';
import type { Announcer } from '../events/index.ts';
import type { InvalidationBus } from './invalidator.ts';
import { digest, type Label } from './labels.ts';
import { loadRedis } from './redis-client.ts';
import { RedisLink } from './redis-link.ts';
import { resolveRedisOptions, type RedisOptions, type ResolvedRedisOptions } from './redis-options.ts';
import { FORGET, FORGOTTEN, INVALIDATE, READ, STATE_OF, STORE } from './redis-scripts.ts';
import { Sealer } from './sealed-value.ts';
import type { FillTicket, SecondTier, SecondTierStats, SharedLookup, SharedValue } from './second-tier.ts';
import { UntoldChanges } from './untold-changes.ts';

interface RedisTierParts {
  /** Of the cache. */
  readonly name: string;
  readonly announce: Announcer;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

type Changed = readonly Label[] | 'everything';

/** Labels that Redis remembers; with more, everything counts as changed. */
const MOST_REMEMBERED = 100_000;
const NOTHING: SharedLookup = Object.freeze({ found: undefined, ticket: undefined });

/**
 * Values that several processes share through Redis, and the messages by which they tell each other what was
 * changed. Every value carries the version at which its load began, and Redis knows at which version each
 * label was last changed: a late value is refused there, wherever it comes from.
 */
export class RedisTier implements SecondTier, InvalidationBus {
  readonly #parts: RedisTierParts;
  readonly #options: ResolvedRedisOptions;
  readonly #sealer: Sealer;
  readonly #link: RedisLink;
  readonly #untold: UntoldChanges = new UntoldChanges();
  /** Identifies the messages of this process. */
  readonly #sender: string = randomUUID();
  readonly #stateKey: string;
  readonly #channel: string;
  #onRemote: (changed: Changed) => void = () => undefined;
  /** The last change that this process has heard of. */
  #heard: FillTicket | undefined;
  #isDown = false;
  readonly #counts = { hits: 0, misses: 0, failures: 0, rejected: 0, stored: 0 };

  /** @throws ConfigError, or UsageError where the package `redis` is missing */
  constructor(given: RedisOptions, parts: RedisTierParts) {
    this.#parts = parts;
    this.#options = resolveRedisOptions(given, parts.name);
    this.#sealer = new Sealer(this.#options.secret);
    const { prefix } = this.#options;
    this.#stateKey = `{${prefix}}:state`;
    this.#channel = `{${prefix}}:changes`;
    this.#link = new RedisLink({
      options: this.#options,
      channel: this.#channel,
      createClient: loadRedis(),
      clock: parts.clock,
      random: parts.random,
      onMessage: (message) => this.#hear(message),
      onOpen: () => this.#catchUp(),
      onReady: () => this.#ready(),
      onLost: (error) => this.#lost(error),
    });
  }

  /** Connects in the background. `onRemote` hears what other processes have changed. */
  start(onRemote: (changed: Changed) => void): void {
    this.#onRemote = onRemote;
    void this.#link.connect();
  }

  async read(key: string): Promise<SharedLookup> {
    if (this.#link.state !== 'ready') return NOTHING;
    const isTold = this.#untold.snapshot();
    try {
      const keys = [this.#keyOf(key), this.#stateKey];
      const answer = toLookup(await this.#link.call({ script: READ, keys, args: [randomUUID()] }));
      const found =
        answer.sealed === undefined ? undefined : this.#sealer.open(key, answer.sealed, answer.leftMs);
      if (answer.sealed !== undefined && found === undefined) this.#counts.rejected += 1;
      const isUsable = found !== undefined && found.goneMs > 0 && isTold(found.labels);
      this.#counts[isUsable ? 'hits' : 'misses'] += 1;
      return { found: isUsable ? found : undefined, ticket: answer.ticket };
    } catch {
      // A cache that does not answer has nothing: the value is loaded.
      this.#counts.failures += 1;
      return NOTHING;
    }
  }

  async store(key: string, value: SharedValue, { epoch, version }: FillTicket): Promise<boolean> {
    try {
      const { labels, life, seal, data } = this.#sealer.seal(key, value);
      if (data.length > this.#options.maxValueBytes) return true;
      const forgetMs = life.split(' ').at(-1)!;
      const args = [epoch, String(version), labels, life, seal, data, forgetMs];
      const keys = [this.#keyOf(key), this.#stateKey];
      const isStored = (await this.#link.call({ script: STORE, keys, args })) !== 0;
      if (isStored) this.#counts.stored += 1;
      return isStored;
    } catch {
      // The others load it themselves.
      this.#counts.failures += 1;
      return true;
    }
  }

  async publish(changed: Changed): Promise<void> {
    this.#untold.add(changed);
    await this.#tell();
  }

  stats(): SecondTierStats {
    return { state: this.#link.state, ...this.#counts, untold: this.#untold.size };
  }

  async close(): Promise<void> {
    this.#link.close();
  }

  /**
   * Sends the changes that were not sent yet; what fails is sent later, with the next change or on the next
   * connection.
   */
  async #tell(): Promise<void> {
    if (this.#link.state !== 'ready') return;
    for (let changed = this.#untold.take(); changed !== undefined; changed = this.#untold.take()) {
      try {
        await this.#send(changed);
        this.#untold.told();
      } catch {
        this.#counts.failures += 1;
        this.#untold.failed();
        return;
      }
    }
  }

  async #send(changed: Changed): Promise<void> {
    const forget = { script: FORGET, keys: [this.#stateKey], args: [this.#channel, this.#sender] };
    if (changed === 'everything') {
      await this.#link.call(forget);
      return;
    }
    const args = [randomUUID(), this.#channel, this.#sender, String(MOST_REMEMBERED), ...changed];
    try {
      await this.#link.call({ script: INVALIDATE, keys: [this.#stateKey], args });
    } catch (error) {
      // No memory left, or a key of another type: forgetting needs neither.
      if (!isRefusal(error)) throw error;
      await this.#link.call(forget);
    }
  }

  /** `epoch version sender labels…` */
  #hear(message: string): void {
    const [epoch = '', version = '', sender = '', ...labels] = message.split(' ');
    const heard = { epoch, version: Number(version) };
    if (!Number.isSafeInteger(heard.version) || sender === '') return;
    const last = this.#heard;
    // Messages may get lost with a connection. A gap in the versions shows it.
    const isNext = last !== undefined && follows(heard, last);
    if (epoch !== last?.epoch || heard.version > last.version) this.#heard = heard;
    const isOwn = sender === this.#sender;
    if (isOwn && (isNext || epoch === FORGOTTEN)) return;
    this.#onRemote(isNext ? labels.filter((label) => label !== '') : 'everything');
  }

  /** A new connection receives only new messages: the version shows whether any were missed. */
  async #catchUp(): Promise<void> {
    const answer = await this.#link.callNow({
      script: STATE_OF,
      keys: [this.#stateKey],
      args: [randomUUID()],
    });
    const { ticket } = toLookup(answer);
    const last = this.#heard;
    this.#heard = ticket;
    const isSame = last !== undefined && last.epoch === ticket.epoch && last.version === ticket.version;
    // Also the first time: whatever was kept before then may have missed changes.
    if (!isSame) this.#onRemote('everything');
  }

  #ready(): void {
    if (this.#isDown && this.#parts.announce.has('cache:up'))
      this.#parts.announce.emit('cache:up', { cache: this.#parts.name });
    this.#isDown = false;
    void this.#tell();
  }

  #lost(error: Error): void {
    // Once for each time that it is down, however often it is tried.
    if (!this.#isDown && this.#parts.announce.has('cache:down'))
      this.#parts.announce.emit('cache:down', { cache: this.#parts.name, error });
    this.#isDown = true;
  }

  #keyOf(key: string): string {
    return `{${this.#options.prefix}}:v:${digest(key)}`;
  }
}

/** True where no change can have been missed between the two. */
function follows(next: FillTicket, last: FillTicket): boolean {
  // A state that starts over counts from 0.
  if (last.epoch === FORGOTTEN) return next.epoch !== FORGOTTEN && next.version === 1;
  return next.epoch === last.epoch && next.version <= last.version + 1;
}

/** An error that the server has sent, as opposed to no answer at all. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && /^(OOM|ERR|WRONGTYPE|EXECABORT|MISCONF)\b/.test(error.message);
}

/** @throws ConnectionError for an answer that no honest server gives */
function toLookup(answer: unknown): {
  readonly ticket: FillTicket;
  readonly sealed?: { labels: string; life: string; seal: string; data: string };
  readonly leftMs: number;
} {
  const lies = (): ConnectionError => new ConnectionError('Redis gave an answer that is not valid.');
  if (!Array.isArray(answer)) throw lies();
  const [epoch, version, labels, life, seal, data, leftMs] = answer as unknown[];
  const ticket = { epoch: String(epoch), version: Number(version) };
  if (typeof epoch !== 'string' || !Number.isSafeInteger(ticket.version)) throw lies();
  if (answer.length === 2) return { ticket, leftMs: 0 };
  const isWhole = [labels, life, seal, data].every((part) => typeof part === 'string');
  if (!isWhole || typeof leftMs !== 'number') throw lies();
  const sealed = { labels, life, seal, data } as { labels: string; life: string; seal: string; data: string };
  return { ticket, sealed, leftMs };
}
