import { describe, expect, test } from 'vitest';
import { RowStream } from './row-stream.ts';

/** Chunks as an engine gives them, and a record of what was asked of it. */
class Source implements AsyncIterator<readonly number[]> {
  readonly calls: string[] = [];
  readonly #chunks: (readonly number[] | Error)[];
  readonly #closing: Error | undefined;
  #busy = false;

  constructor(chunks: (readonly number[] | Error)[], closing?: Error) {
    this.#chunks = chunks;
    this.#closing = closing;
  }

  readonly start = (): this => {
    this.calls.push('start');
    return this;
  };

  async next(): Promise<IteratorResult<readonly number[], undefined>> {
    this.calls.push(this.#busy ? 'next while busy' : 'next');
    this.#busy = true;
    await Promise.resolve();
    this.#busy = false;
    const chunk = this.#chunks.shift();
    if (chunk instanceof Error) throw chunk;
    return chunk === undefined ? { done: true, value: undefined } : { done: false, value: chunk };
  }

  async return(): Promise<IteratorResult<readonly number[], undefined>> {
    this.calls.push(this.#busy ? 'return while busy' : 'return');
    if (this.#closing !== undefined) throw this.#closing;
    return { done: true, value: undefined };
  }
}

async function collect(stream: RowStream<number>): Promise<number[]> {
  const rows: number[] = [];
  for await (const value of stream) rows.push(value);
  return rows;
}

const END = { done: true, value: undefined };
const row = (value: number): object => ({ done: false, value });

describe('a stream of rows', () => {
  test('gives the rows of all chunks in order, empty chunks among them', async () => {
    const source = new Source([[1, 2], [], [3], []]);
    expect(await collect(new RowStream(source.start))).toEqual([1, 2, 3]);
    expect(source.calls).toEqual(['start', 'next', 'next', 'next', 'next', 'next']);
  });

  test('is its own iterator', () => {
    const stream = new RowStream(new Source([]).start);
    expect(stream[Symbol.asyncIterator]()).toBe(stream);
  });

  test('starts with the first next(), at once', () => {
    const source = new Source([[1]]);
    const stream = new RowStream(source.start);
    expect(source.calls).toEqual([]);
    void stream.next();
    expect(source.calls).toEqual(['start', 'next']);
  });

  test('asks for a chunk only when the one before was taken', async () => {
    const source = new Source([[1, 2], [3]]);
    const stream = new RowStream(source.start);
    await stream.next();
    await stream.next();
    expect(source.calls).toEqual(['start', 'next']);
    await stream.next();
    expect(source.calls).toEqual(['start', 'next', 'next']);
  });

  test('answers next() calls made at once in their order, one chunk at a time', async () => {
    const source = new Source([[1], [], [2, 3], [4]]);
    const stream = new RowStream(source.start);
    const answers = await Promise.all(Array.from({ length: 6 }, () => stream.next()));
    expect(answers).toEqual([row(1), row(2), row(3), row(4), END, END]);
    expect(source.calls).not.toContain('next while busy');
  });

  test('keeps the order when next() comes between an answer and the turn of the one behind it', async () => {
    const stream = new RowStream(
      new Source([
        [1, 2],
        [3, 4],
      ]).start,
    );
    const order: unknown[] = [];
    const take = async (): Promise<void> => void order.push((await stream.next()).value);
    await Promise.all([take().then(take), take(), take()]);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  test('closes when the loop is left, and is at its end then', async () => {
    const source = new Source([[1, 2], [3]]);
    const stream = new RowStream(source.start);
    for await (const value of stream) if (value === 1) break;
    expect(source.calls).toEqual(['start', 'next', 'return']);
    expect(await stream.next()).toEqual(END);
    expect(await stream.return('x')).toEqual({ done: true, value: 'x' });
    expect(source.calls).toEqual(['start', 'next', 'return']);
  });

  test('closes when the loop throws, and the error of the loop wins', async () => {
    const source = new Source([[1]], new Error('cannot close'));
    const looping = async (): Promise<void> => {
      for await (const _ of new RowStream(source.start)) throw new Error('of the loop');
    };
    await expect(looping()).rejects.toThrow('of the loop');
    expect(source.calls).toEqual(['start', 'next', 'return']);
  });

  test('never starts when it is closed before', async () => {
    const source = new Source([[1]]);
    const stream = new RowStream(source.start);
    expect(await stream.return()).toEqual(END);
    expect(await stream.next()).toEqual(END);
    expect(source.calls).toEqual([]);
  });

  test('does not close what has come to its end', async () => {
    const source = new Source([[1]]);
    const stream = new RowStream(source.start);
    await collect(stream);
    await stream.return();
    expect(source.calls).not.toContain('return');
  });

  test('closes behind the requests before it', async () => {
    const source = new Source([[1], [2]]);
    const stream = new RowStream(source.start);
    const answers = await Promise.all([stream.next(), stream.next(), stream.return(), stream.next()]);
    expect(answers).toEqual([row(1), row(2), END, END]);
    expect(source.calls).toEqual(['start', 'next', 'next', 'return']);
  });

  test('rejects with the error of a chunk, once, after the rows before it', async () => {
    const source = new Source([[1], new Error('disk')]);
    const stream = new RowStream(source.start);
    expect(await stream.next()).toEqual(row(1));
    await expect(stream.next()).rejects.toThrow('disk');
    expect(await stream.next()).toEqual(END);
    expect(source.calls).not.toContain('return');
  });

  test('rejects with what the start throws, at the first next()', async () => {
    const stream = new RowStream(() => {
      throw new Error('cannot start');
    });
    await expect(stream.next()).rejects.toThrow('cannot start');
    expect(await stream.next()).toEqual(END);
  });

  test('throw() closes, and rejects with its error even if closing fails', async () => {
    const source = new Source([[1, 2]], new Error('cannot close'));
    const stream = new RowStream(source.start);
    await stream.next();
    await expect(stream.throw(new Error('mine'))).rejects.toThrow('mine');
    expect(source.calls).toEqual(['start', 'next', 'return']);
    expect(await stream.next()).toEqual(END);
  });

  test('return() rejects when closing fails', async () => {
    const stream = new RowStream(new Source([[1, 2]], new Error('cannot close')).start);
    await stream.next();
    await expect(stream.return()).rejects.toThrow('cannot close');
    expect(await stream.next()).toEqual(END);
  });

  test('closes a source that has no return()', async () => {
    const source = new Source([[1, 2]]);
    const stream = new RowStream(() => ({ next: () => source.next() }));
    await stream.next();
    expect(await stream.return()).toEqual(END);
  });

  test('a failure that nobody awaits is not hidden', async () => {
    const failures: unknown[] = [];
    const note = (error: unknown): unknown => failures.push(error);
    const listeners = process.rawListeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
    try {
      void new RowStream(new Source([new Error('disk')]).start).next();
      await new Promise((resolve) => void setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', note);
      for (const listener of listeners) process.on('unhandledRejection', listener as () => void);
    }
    expect(failures).toEqual([new Error('disk')]);
  });
});
