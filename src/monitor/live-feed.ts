import { runInRootContext } from '../async/index.ts';
import { answer, answerError } from './answers.ts';
import type { MonitorState } from './monitor-state.ts';
import type { Sample, Sampler } from './sampler.ts';

export interface LiveFeedParts {
  readonly sampler: Sampler;
  readState(): MonitorState;
  readonly sampleMs: number;
  readonly maxSamples: number;
  readonly maxClients: number;
}

type Client = ReadableStreamDefaultController<Uint8Array>;

/** A page that has not read what was sent for this many points is considered gone. */
const MOST_UNREAD = 30;
/** The lists of a page change less than its charts. */
const SAMPLES_PER_STATE = 2;
const encoder = new TextEncoder();

/** Takes a point of the charts at an interval, keeps the last ones, and sends them to open pages. */
export class LiveFeed {
  readonly #parts: LiveFeedParts;
  readonly #clients = new Map<Client, { unread: number }>();
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  #count = 0;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
    this.#timer = runInRootContext(() => setInterval(() => this.#tick(), parts.sampleMs).unref());
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** The points that are kept, oldest first. */
  history(): readonly Sample[] {
    return this.#samples;
  }

  /** A stream of server-sent events: the history, then each new point, and the lists every other time. */
  open(signal: AbortSignal): Response {
    if (this.#clients.size >= this.#parts.maxClients) {
      return answerError(503, 'Too many pages are open.', { 'retry-after': '10' });
    }
    let client: Client;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        client = controller;
        this.#clients.set(client, { unread: 0 });
        client.enqueue(message('history', this.#samples));
        client.enqueue(message('state', this.#parts.readState()));
      },
      cancel: () => void this.#clients.delete(client),
    });
    signal.addEventListener('abort', () => this.#drop(client), { once: true });
    return answer(body, 'text/event-stream', { headers: { 'x-accel-buffering': 'no' } });
  }

  /** Ends every stream. May be called again. */
  close(): void {
    clearInterval(this.#timer);
    this.#parts.sampler.stop();
    for (const client of this.#clients.keys()) this.#drop(client);
  }

  #tick(): void {
    const sample = this.#parts.sampler.take();
    this.#samples.push(sample);
    if (this.#samples.length > this.#parts.maxSamples) this.#samples.shift();
    this.#count += 1;
    if (this.#clients.size === 0) return;
    const parts = [message('sample', sample)];
    if (this.#count % SAMPLES_PER_STATE === 0) parts.push(message('state', this.#parts.readState()));
    for (const [client, state] of this.#clients) this.#send(client, state, parts);
  }

  #send(client: Client, state: { unread: number }, parts: readonly Uint8Array[]): void {
    // A page that is behind does not get later what it has missed: it would stay behind for good.
    if ((client.desiredSize ?? 0) > 0) {
      state.unread = 0;
      for (const part of parts) client.enqueue(part);
      return;
    }
    state.unread += 1;
    if (state.unread > MOST_UNREAD) this.#drop(client);
  }

  #drop(client: Client): void {
    if (!this.#clients.delete(client)) return;
    client.close();
  }
}

function message(event: string, data: unknown): Uint8Array {
  // JSON has no line feeds of its own, which would end the message.
  return encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
