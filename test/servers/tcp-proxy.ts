import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Link, type Cut, type Direction, type Weather } from './tcp-link.ts';

export type { Cut, Weather } from './tcp-link.ts';

/** A proxy before `target` that breaks the network on demand. The caller closes it. */
export async function startTcpProxy(target: { host?: string; port: number }): Promise<TcpProxy> {
  const proxy = new TcpProxy({ host: target.host ?? '127.0.0.1', port: target.port });
  await proxy.accept();
  return proxy;
}

/** What passes through it can be delayed, dripped, swallowed, or cut at an exact byte. */
export class TcpProxy implements AsyncDisposable {
  /** Of the server behind it; another one is taken by connections to come. */
  target: { readonly host: string; readonly port: number };
  /** How many connections were accepted since it began. */
  accepted = 0;
  readonly #links = new Set<Link>();
  readonly #weather: Weather = { silent: false, bytesPerSecond: Infinity, delayMs: () => 0 };
  #cut: Cut | undefined;
  #server: Server | undefined;
  #port = 0;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.target = target;
  }

  get port(): number {
    return this.#port;
  }

  /** Open connections through it. */
  get connections(): number {
    return this.#links.size;
  }

  /** The URL of a server behind the proxy, through the proxy. */
  urlFor(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.#port);
    return through.href;
  }

  /** Each piece takes this long in each direction, ± jitter. Order is kept. */
  delay(latencyMs: number, jitterMs = 0): void {
    this.#weather.delayMs = () => Math.max(0, latencyMs + (Math.random() * 2 - 1) * jitterMs);
  }

  /** At most this many bytes pass each second, in each direction of each connection. */
  drip(bytesPerSecond: number): void {
    this.#weather.bytesPerSecond = bytesPerSecond;
  }

  /** From now on nothing passes: what arrives is swallowed, connections are accepted and hear nothing. */
  blackHole(): void {
    this.#weather.silent = true;
  }

  /** Good weather for connections to come. What a black hole swallowed is lost: those in it are reset. */
  restore(): void {
    if (this.#weather.silent) this.resetAll();
    this.#cut = undefined;
    Object.assign(this.#weather, { silent: false, bytesPerSecond: Infinity, delayMs: () => 0 });
  }

  /** Ends open connections by RST. */
  resetAll(): void {
    for (const link of this.#links) link.end('reset');
  }

  /** Ends open connections by FIN. */
  finishAll(): void {
    for (const link of this.#links) link.end('finish');
  }

  /**
   * Arms one cut: the next connection whose bytes reach the mark breaks there; what came before it has passed, what
   * comes after it has not. Resolves when it happened.
   */
  cutOnce(cut: Omit<Cut, 'happened'>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#cut = {
      ...cut,
      happened: () => {
        this.#cut = undefined;
        resolve();
      },
    };
    return promise;
  }

  /** Bytes that pass from now on count for a cut `after` a number of them: forgets what passed before. */
  resetCounts(): void {
    for (const link of this.#links) link.resetCounts();
  }

  /** Connections are refused (ECONNREFUSED) until `accept`; open ones stay. */
  async refuse(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    server.close();
    // `close` waits for open connections too; not listening any more is what counts.
    await Promise.race([once(server, 'close'), new Promise(setImmediate)]);
  }

  /** Listens, on the same port as before. */
  async accept(): Promise<void> {
    this.#server = createServer((client) => this.#join(client)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.resetAll();
    await this.refuse();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #join(client: Socket): void {
    this.accepted++;
    const link = new Link(client, connect(this.target), {
      weather: this.#weather,
      cut: (direction: Direction) => (this.#cut?.direction === direction ? this.#cut : undefined),
    });
    this.#links.add(link);
    link.onEnd(() => this.#links.delete(link));
  }
}
