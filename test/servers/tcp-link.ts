import type { Socket } from 'node:net';

export type Direction = 'to-server' | 'to-client';

/** How the network is; read anew for each piece. */
export interface Weather {
  silent: boolean;
  bytesPerSecond: number;
  delayMs: () => number;
}

/** Where and how a connection breaks. */
export interface Cut {
  readonly direction: Direction;
  /** Breaks when this many bytes have passed since the connection began or `resetCounts`. */
  readonly after?: number;
  /** Breaks at the first place of these bytes, when `keep` of them have passed. */
  readonly pattern?: Uint8Array;
  /** @default 0 */
  readonly keep?: number;
  /** `silence` keeps both sides open, and nothing passes any more in this direction or the other. */
  readonly how: 'reset' | 'finish' | 'silence';
  readonly happened: () => void;
}

/** What a link asks of its proxy. */
export interface LinkRules {
  readonly weather: Readonly<Weather>;
  readonly cut: (direction: Direction) => Cut | undefined;
}

/** One connection through the proxy. */
export class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #rules: LinkRules;
  readonly #passed: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 };
  readonly #tail: Record<Direction, Buffer> = { 'to-server': Buffer.alloc(0), 'to-client': Buffer.alloc(0) };
  #silent = false;
  #ended = false;
  #whenEnded: () => void = () => {};

  constructor(client: Socket, server: Socket, rules: LinkRules) {
    this.#client = client;
    this.#server = server;
    this.#rules = rules;
    for (const socket of [client, server]) socket.setNoDelay(true);
    this.#pump(client, server, 'to-server');
    this.#pump(server, client, 'to-client');
  }

  onEnd(listener: () => void): void {
    this.#whenEnded = listener;
    if (this.#ended) listener();
  }

  resetCounts(): void {
    this.#passed['to-server'] = 0;
    this.#passed['to-client'] = 0;
  }

  end(how: 'reset' | 'finish'): void {
    for (const socket of [this.#client, this.#server]) {
      if (how === 'reset') socket.resetAndDestroy();
      else socket.end();
    }
    this.#leave();
  }

  #pump(from: Socket, to: Socket, direction: Direction): void {
    let last: Promise<void> = Promise.resolve();
    from.on('data', (chunk: Buffer) => {
      // Pieces keep their order however long each takes; meanwhile the sender feels the pressure.
      from.pause();
      last = last.then(() => this.#pass(chunk, to, direction)).then(() => void from.resume());
    });
    from.on('end', () => {
      // eslint-disable-next-line promise/catch-or-return -- it never rejects
      last = last.then(() => {
        if (!this.#isSilent()) to.end();
      });
    });
    from.on('error', () => this.#broken());
    from.on('close', () => {
      // In silence the client hears nothing of what becomes of the server.
      if (from.errored !== null || (this.#isSilent() && from === this.#client)) this.#broken();
    });
  }

  async #pass(chunk: Buffer, to: Socket, direction: Direction): Promise<void> {
    if (this.#isSilent() || this.#ended) return;
    const delayMs = this.#rules.weather.delayMs();
    if (delayMs > 0) await pause(delayMs);
    if (this.#isSilent() || this.#ended) return;
    const cut = this.#rules.cut(direction);
    const at = cut && this.#placeOf(cut, chunk, direction);
    this.#passed[direction] += chunk.length;
    this.#tail[direction] = Buffer.concat([this.#tail[direction], chunk]).subarray(-64);
    if (!cut || at === undefined) return this.#write(chunk, to);
    await this.#write(chunk.subarray(0, at), to);
    this.#break(cut);
  }

  /** How many bytes of the chunk still pass before the cut; undefined when it is not reached. */
  #placeOf(cut: Cut, chunk: Buffer, direction: Direction): number | undefined {
    if (cut.after !== undefined) {
      const left = cut.after - this.#passed[direction];
      return left <= chunk.length ? Math.max(0, left) : undefined;
    }
    // The pattern may have begun in the piece before.
    const before = this.#tail[direction].subarray(-(cut.pattern!.length - 1) || Infinity);
    const found = Buffer.concat([before, chunk]).indexOf(cut.pattern!);
    if (found < 0) return undefined;
    return Math.min(chunk.length, Math.max(0, found + (cut.keep ?? 0) - before.length));
  }

  #break(cut: Cut): void {
    if (cut.how === 'silence') this.#silent = true;
    else this.end(cut.how);
    cut.happened();
  }

  async #write(bytes: Buffer, to: Socket): Promise<void> {
    const { bytesPerSecond } = this.#rules.weather;
    if (bytesPerSecond === Infinity) return send(bytes, to);
    // A hundredth of a second's worth at a time, one byte at least.
    const step = Math.max(1, Math.floor(bytesPerSecond / 100));
    for (let start = 0; start < bytes.length && !this.#ended; start += step) {
      await send(bytes.subarray(start, start + step), to);
      await pause((step / bytesPerSecond) * 1_000);
    }
  }

  #isSilent(): boolean {
    return this.#silent || this.#rules.weather.silent;
  }

  #broken(): void {
    for (const socket of [this.#client, this.#server]) socket.destroy();
    this.#leave();
  }

  #leave(): void {
    this.#ended = true;
    this.#whenEnded();
  }
}

/** Resolves when there is room for more. A socket that went away takes everything. */
async function send(bytes: Buffer, to: Socket): Promise<void> {
  if (bytes.length === 0 || to.destroyed || to.writableEnded) return;
  if (to.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      to.off('drain', goOn).off('close', goOn);
      resolve();
    };
    to.on('drain', goOn).on('close', goOn);
  });
}

async function pause(delayMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
}
