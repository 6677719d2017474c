import type { Duplex } from 'node:stream';
import { Line } from '../async/index.ts';
import { Cancellations } from './cancellations.ts';
import type { Exchange, TransactionStatus } from './exchange.ts';
import { cstringEnd } from './columns.ts';
import { isFatal, readFailure, type ServerFailure } from './server-error.ts';
import type { ByteSink } from './reading-socket.ts';
import type { PreparedStatements } from './statement-store.ts';
import { BackendCode } from './wire-codes.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

/** An open, authenticated connection as the driver hands it over. */
export interface OpenedSocket {
  readonly stream: Duplex & { ref?(): unknown; unref?(): unknown };
  /** Gives what arrives to `sink`, from now on. */
  listen(sink: ByteSink): void;
  /** Of the server's process for this connection; 0 where a pooler gives none. */
  readonly processId: number;
  readonly parameters: Map<string, string>;
  /** Stops a statement of this connection by the protocol's own request, on a connection of its own. */
  cancel(): Promise<void>;
}

/** A listener for what the server sends unasked. */
export interface LinkListener {
  notified?(channel: string, payload: string, processId: number): void;
}

/** When this much waits for the socket to drain, nothing more is written. */
const HIGH_WATER_BYTES = 4_194_304;

/** With more than this under way, the server does not run out of work before the end of a turn. */
const BUSY = 3;

/**
 * One connection to a server: exchanges go out in order, without waiting for the answer of the one before,
 * and are answered in order. What was written in one turn of the event loop is sent as one piece.
 */
export class PostgresLink {
  readonly id: number;
  readonly processId: number;
  readonly parameters: Map<string, string>;
  readonly statements: PreparedStatements;
  /** Called after each answer. */
  onAnswered: (() => void) | undefined;
  /** Called right before this turn's messages are sent: what is sent then goes with them. */
  onFlush: (() => void) | undefined;
  listener: LinkListener | undefined;
  /** `performance.now()` of the answer before the one that is being read. */
  answeredAt = 0;
  readonly #socket: OpenedSocket;
  readonly #reader: WireReader;
  readonly #writer = new WireWriter();
  readonly #lost = Promise.withResolvers<Error>();
  /** Sent and not answered, in order. */
  #sent = new Line<Exchange>();
  /** Accepted and not sent: behind a barrier, a cancellation, or a full socket. */
  #queue: Exchange[] = [];
  #holds = 0;
  readonly #cancellations: Cancellations;
  #idleListeners: (() => void)[] = [];
  #isFlushing = false;
  #status: TransactionStatus = 'I';
  #state: 'open' | 'closing' | 'lost' = 'open';
  #fatal: ServerFailure | undefined;

  constructor(id: number, socket: OpenedSocket, statements: PreparedStatements) {
    this.id = id;
    this.#socket = socket;
    this.processId = socket.processId;
    this.parameters = socket.parameters;
    this.statements = statements;
    this.#reader = new WireReader((code, buffer, start, end) => this.#read(code, buffer, start, end));
    this.#cancellations = new Cancellations({
      request: () => socket.cancel(),
      hold: () => this.hold(),
      giveUp: (error) => this.destroy(error),
    });
    const { stream } = socket;
    socket.listen((buffer, length) => this.#push(buffer, length));
    stream.on('drain', () => this.#pump());
    stream.on('error', (error: Error) => this.lose(error));
    // The end of what the server sends, and not only the close that follows it once this side has ended too:
    // what is sent in between arrives nowhere, and would have an outcome that nobody knows.
    for (const end of ['end', 'close'])
      stream.on(end, () => this.lose(new Error('the server closed the connection')));
    stream.unref?.();
  }

  /** False once it is lost or closing, or the server said that it will end it, which comes before the end. */
  get usable(): boolean {
    return this.#state === 'open' && this.#fatal === undefined;
  }

  /** Settles when it was lost for good; never on an orderly close. */
  get lost(): Promise<Error> {
    return this.#lost.promise;
  }

  /** Exchanges without an answer, those that wait to be sent included. */
  get pending(): number {
    return this.#sent.length + this.#queue.length;
  }

  /** Nothing is under way, and no cancellation that could hit what comes next. */
  get isIdle(): boolean {
    return this.pending === 0 && this.#holds === 0;
  }

  /** The status in the last answer. */
  get status(): TransactionStatus {
    return this.#status;
  }

  /** The exchange that the server works on now. */
  get running(): Exchange | undefined {
    return this.#sent.peek();
  }

  send(exchange: Exchange): void {
    if (this.#state !== 'open') return exchange.lose({ error: this.#goneError(), sent: false });
    if (this.#queue.length > 0 || !this.#maySend()) this.#queue.push(exchange);
    else this.#write(exchange);
  }

  /** Before everything that waits to be sent. */
  sendFirst(exchange: Exchange): void {
    if (this.#state !== 'open') return exchange.lose({ error: this.#goneError(), sent: false });
    if (this.#maySend()) this.#write(exchange);
    else this.#queue.unshift(exchange);
  }

  /**
   * Sends in one piece what this turn of the event loop has written. While the server has work, that includes
   * everything that arrives in the turn; a lone call does not wait for that.
   */
  flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    if (this.#sent.length > BUSY) setImmediate(this.#flush);
    else process.nextTick(this.#flush);
  }

  /** Takes an exchange back that was not sent yet. @returns false where it was */
  withdraw(exchange: Exchange): boolean {
    const place = this.#queue.indexOf(exchange);
    if (place < 0) return false;
    this.#queue.splice(place, 1);
    return true;
  }

  /** Until the returned function is called, nothing is sent. */
  hold(): () => void {
    let isHeld = true;
    this.#holds += 1;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#holds -= 1;
      this.#pump();
      if (this.isIdle) this.#tellIdle();
    };
  }

  /**
   * Has the server stop an exchange that was sent, once the server works on it. Nothing is sent until that is
   * over; those behind it that were sent already may be hit: see {@link mayBeBystander}.
   */
  cancel(exchange: Exchange): void {
    if (this.#state === 'open') this.#cancellations.begin(exchange, [...this.#sent]);
  }

  /** Whether a request that was meant for another exchange may have hit this one. */
  mayBeBystander(exchange: Exchange): boolean {
    return this.#cancellations.mayHaveHit(exchange);
  }

  /** Settles when nothing is under way any more, or the connection is lost. */
  idle(): Promise<void> {
    if (this.isIdle || this.#state === 'lost') return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  /** Writes bytes of the exchange under way, a COPY. @returns false where the socket is full */
  writeMore(write: (writer: WireWriter) => void): boolean {
    write(this.#writer);
    this.flushSoon();
    return this.#socket.stream.writableLength < HIGH_WATER_BYTES;
  }

  /** Settles when the socket takes more, or the connection is lost. Until then, what was written goes out. */
  async room(): Promise<void> {
    const { stream } = this.#socket;
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (stream.writableNeedDrain && this.#state === 'open') {
      const drained = new Promise<void>((resolve) => stream.once('drain', () => resolve()));
      await Promise.race([drained, this.#lost.promise]);
    }
  }

  /** Stops reading from the socket, so that the server stops sending. */
  pause(): void {
    this.#socket.stream.pause();
  }

  resume(): void {
    this.#socket.stream.resume();
  }

  /** Says goodbye and ends the connection. Settles when the socket is closed, at the limit by force. */
  async close(timeoutMs: number): Promise<void> {
    const { stream } = this.#socket;
    const isInOrder = this.#state === 'open' && this.pending === 0;
    if (!isInOrder) return this.destroy(new Error('the connection was closed'));
    this.#state = 'closing';
    const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
    this.#writer.terminate();
    stream.end(this.#writer.take());
    const timer = setTimeout(() => stream.destroy(), timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  /** Cuts the connection off. What is under way is lost with it. */
  destroy(error: Error): void {
    this.lose(error);
    this.#socket.stream.destroy();
  }

  /** Ends everything that waits for an answer. */
  lose(error: Error): void {
    if (this.#state === 'lost') return;
    const wasClosing = this.#state === 'closing';
    this.#state = 'lost';
    const cause =
      this.#fatal === undefined ? error : Object.assign(new Error(this.#fatal.message), { cause: error });
    const sent = this.#sent;
    const queued = this.#queue;
    this.#sent = new Line();
    this.#queue = [];
    for (const exchange of sent) exchange.lose({ error: cause, sent: true });
    for (const exchange of queued) exchange.lose({ error: cause, sent: false });
    this.#cancellations.clear();
    if (!wasClosing) this.#lost.resolve(cause);
    this.#socket.stream.destroy();
    this.#tellIdle();
    this.onAnswered?.();
  }

  #tellIdle(): void {
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }

  #goneError(): Error {
    return new Error(this.#fatal?.message ?? 'the connection is closed');
  }

  #maySend(): boolean {
    if (this.#holds > 0 || this.#sent.last?.isBarrier === true) return false;
    return this.#socket.stream.writableLength < HIGH_WATER_BYTES;
  }

  #pump(): void {
    while (this.#queue.length > 0 && this.#state === 'open' && this.#maySend())
      this.#write(this.#queue.shift()!);
  }

  #write(exchange: Exchange): void {
    const refusal = exchange.refusal?.();
    if (refusal !== undefined) return exchange.lose({ error: refusal, sent: false });
    if (this.#sent.length === 0) this.#socket.stream.ref?.();
    this.#sent.push(exchange);
    exchange.write(this.#writer, this);
    this.flushSoon();
  }

  readonly #flush = (): void => {
    this.onFlush?.();
    this.#isFlushing = false;
    if (this.#state === 'open' && !this.#writer.isEmpty) this.#socket.stream.write(this.#writer.take());
  };

  #push(buffer: Buffer, length: number): void {
    try {
      this.#reader.push(buffer, length);
    } catch (error) {
      // Once something was read wrongly, nothing more can be trusted.
      this.lose(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #read(code: number, buffer: Buffer, start: number, end: number): void {
    switch (code) {
      case BackendCode.ready:
        return this.#answered(String.fromCharCode(buffer[start]!) as TransactionStatus);
      case BackendCode.notification:
        return this.#notified(buffer, start);
      case BackendCode.parameterStatus:
        return this.#noteParameter(buffer, start);
      case BackendCode.notice:
        return;
      case BackendCode.error:
        this.#noteFatal(buffer, start, end);
        break;
      default:
    }
    this.#sent.peek()?.read(code, buffer, start, end);
  }

  #answered(status: TransactionStatus): void {
    this.#status = status;
    const exchange = this.#sent.shift();
    if (exchange === undefined) return;
    if (this.#sent.length === 0) this.#socket.stream.unref?.();
    exchange.end(status);
    this.answeredAt = performance.now();
    this.#cancellations.noteAnswered(exchange, this.running);
    if (this.#queue.length > 0) this.#pump();
    if (this.#idleListeners.length > 0 && this.isIdle) this.#tellIdle();
    this.onAnswered?.();
  }

  #noteFatal(buffer: Buffer, start: number, end: number): void {
    const failure = readFailure(buffer, start, end);
    if (!isFatal(failure)) return;
    this.#fatal = failure;
    // What is under way takes the error as its answer. With nothing under way this is the loss, not the end
    // of the socket that follows: who looks in between would put an unusable one away, and tell nobody.
    if (this.#sent.length === 0) this.lose(new Error('the server ended the connection'));
  }

  #notified(buffer: Buffer, start: number): void {
    const channelEnd = cstringEnd(buffer, start + 4);
    const payloadEnd = cstringEnd(buffer, channelEnd + 1);
    const channel = buffer.toString('utf8', start + 4, channelEnd);
    this.listener?.notified?.(
      channel,
      buffer.toString('utf8', channelEnd + 1, payloadEnd),
      buffer.readInt32BE(start),
    );
  }

  #noteParameter(buffer: Buffer, start: number): void {
    const nameEnd = cstringEnd(buffer, start);
    const valueEnd = cstringEnd(buffer, nameEnd + 1);
    this.parameters.set(
      buffer.toString('utf8', start, nameEnd),
      buffer.toString('utf8', nameEnd + 1, valueEnd),
    );
  }
}
