import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { ConnectionError, OutcomeUnknownError } from '../errors/index.ts';
import { PostgresConnection, type ConnectionEnvironment } from './connection.ts';
import { PostgresLink } from './link.ts';
import { Plan } from './plan.ts';
import type { ByteSink } from './reading-socket.ts';
import { RowShapes } from './row-shape.ts';
import { NO_SERVER_LIMITS } from './server-limits.ts';
import { PreparedStatements } from './statement-store.ts';
import { WriteGroup } from './write-group.ts';
import { GroupedWrites } from './grouped-writes.ts';
import { createCall, startCall, type CallPlace } from './pending-call.ts';

const TERMINATED = failure('FATAL', '57P01', 'terminating connection due to administrator command');

/** A function is called when its message has arrived. */
type Answer = Buffer | (() => Buffer);

/** A server that says what it is told to: one answer for each message that arrives, then it goes away. */
class FakeServer extends Duplex {
  readonly #answers: Answer[];

  constructor(answers: readonly Answer[]) {
    super();
    this.#answers = [...answers];
  }

  override _read(): void {}

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const answer = this.#answers.shift();
    this.push(typeof answer === 'function' ? answer() : answer);
    if (this.#answers.length === 0) setImmediate(() => this.destroy());
    done();
  }
}

function message(code: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5, code);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function complete(tag: string): Buffer {
  return Buffer.concat([message('n', Buffer.alloc(0)), message('C', Buffer.from(`${tag}\0`))]);
}

function number(value: string): Buffer {
  const column = Buffer.concat([Buffer.from('id\0'), Buffer.alloc(18)]);
  column.writeInt32BE(25, 9);
  const length = Buffer.alloc(6);
  length.writeInt16BE(1, 0);
  length.writeInt32BE(value.length, 2);
  const described = message('T', Buffer.concat([Buffer.from([0, 1]), column]));
  const row = message('D', Buffer.concat([length, Buffer.from(value)]));
  return Buffer.concat([described, row, message('C', Buffer.from('SELECT 1\0'))]);
}

function failure(severity: string, code: string, text: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`, ''];
  return message('E', Buffer.from(`${fields.join('\0')}\0`));
}

function ready(status: string): Buffer {
  return message('Z', Buffer.from(status));
}

interface Fake {
  readonly connection: PostgresConnection;
  readonly environment: ConnectionEnvironment;
  /** Transactions that the server was asked about, elsewhere. */
  readonly asked: string[];
}

function connect(answers: readonly Answer[], isCommitted?: boolean): Fake {
  const asked: string[] = [];
  const nothing = (): undefined => undefined;
  const environment: ConnectionEnvironment = {
    shapes: new RowShapes(),
    observer: {
      started: nothing,
      capture: nothing,
      record: () => false,
      succeeded: nothing,
      failed: nothing,
    },
    cancelGraceMs: 1_000,
    queryTimeoutMs: 0,
    serverLimits: NO_SERVER_LIMITS,
    streamIdleTimeoutMs: 0,
    planOf: (text) => new Plan(text, false),
    knowledge: { changesOf: nothing } as never,
    keepsStatements: false,
    isWatched: () => false,
    announceChanges: nothing,
    workedMs: () => 0,
    noteDone: nothing,
    noteCommit: nothing,
    noteDefinitions: nothing,
    isCommitted: async (id) => {
      asked.push(id);
      return isCommitted;
    },
  };
  const stream = new FakeServer(answers);
  const socket = {
    stream,
    processId: 1,
    parameters: new Map<string, string>(),
    listen: (sink: ByteSink) => void stream.on('data', (chunk: Buffer) => sink(chunk, chunk.length)),
    cancel: async () => {},
  };
  const link = new PostgresLink(1, socket, new PreparedStatements(10, { current: 0 }));
  return { connection: new PostgresConnection(link, environment, ''), environment, asked };
}

const INSERT = { text: 'insert into t values (1)', params: [] };

describe('a connection that the server ends at a COMMIT', () => {
  const begun = [complete('BEGIN'), complete('INSERT 0 1'), number('700'), ready('T')];

  /** One write, then COMMIT with that answer. */
  async function commit(answer: readonly Buffer[], isCommitted: boolean | undefined): Promise<Fake> {
    const fake = connect([Buffer.concat(begun), Buffer.concat(answer)], isCommitted);
    const { connection } = fake;
    void connection.begin({ readOnly: false });
    await connection.execute('run', INSERT, {});
    await connection.commit();
    return fake;
  }

  test('has committed when it said so before its end (C37, B1)', async () => {
    const { asked } = await commit([complete('COMMIT'), TERMINATED], undefined);
    expect(asked).toEqual([]);
  });

  test('is asked about when it has not said so: its end may have come behind the COMMIT', async () => {
    const { asked } = await commit([TERMINATED], true);
    expect(asked).toEqual(['700']);
    await expect(commit([TERMINATED], false)).rejects.toThrow(ConnectionError);
    await expect(commit([TERMINATED], undefined)).rejects.toThrow(OutcomeUnknownError);
  });

  test('has not committed when COMMIT itself failed before', async () => {
    const refused = [failure('ERROR', '23505', 'duplicate key value'), TERMINATED];
    await expect(commit(refused, true)).rejects.toThrow(ConnectionError);
  });
});

describe('a connection that the server ends behind a write', () => {
  test('leaves the outcome unknown once the write was done, whether it was a statement', async () => {
    const { connection } = connect([Buffer.concat([complete('INSERT 0 1'), TERMINATED])]);
    await expect(connection.execute('run', INSERT, {})).rejects.toThrow(OutcomeUnknownError);
  });

  test('or a script', async () => {
    const { connection } = connect([Buffer.concat([complete('INSERT 0 1'), TERMINATED])]);
    await expect(connection.script('insert into t values (1)', {})).rejects.toThrow(OutcomeUnknownError);
  });

  test('or a COPY', async () => {
    const takes = message('G', Buffer.from([0, 0, 0]));
    const { connection } = connect([takes, Buffer.concat([complete('COPY 1'), TERMINATED])]);
    const copy = connection.copyIn('copy t from stdin', ['1\n'], {});
    await expect(copy).rejects.toThrow(OutcomeUnknownError);
  });

  test('or one of a group, but not before all of them were done', async () => {
    const ends = async (count: number): Promise<unknown[]> => {
      const done = Array.from({ length: count }, () => complete('INSERT 0 1'));
      const { connection, environment } = connect([Buffer.concat([...done, TERMINATED])]);
      const calls = [INSERT, INSERT].map((statement) =>
        createCall({ form: 'run', statement, plan: new Plan(statement.text, false) }, {}, PLACE),
      );
      const answers = calls.map(
        (call) => new Promise((resolve) => Object.assign(call, { resolve, reject: resolve })),
      );
      const onOver = (): void => undefined;
      new WriteGroup({ link: connection.link, environment, calls, onUndone: onOver, onOver }).send();
      return Promise.all(answers);
    };
    expect(await ends(1)).toEqual([expect.any(ConnectionError), expect.any(ConnectionError)]);
    expect(await ends(2)).toEqual([expect.any(OutcomeUnknownError), expect.any(OutcomeUnknownError)]);
  });

  test('has had no effect when it was ended before that', async () => {
    const { connection } = connect([TERMINATED]);
    await expect(connection.execute('run', INSERT, {})).rejects.toThrow(ConnectionError);
    const { connection: other } = connect([TERMINATED]);
    await expect(other.script('insert into t values (1)', {})).rejects.toThrow(ConnectionError);
  });
});

test('a connection that ends behind an answer is not used for the write that comes next', async () => {
  const done = [complete('INSERT 0 1'), ready('I')];
  const ending = connect([Buffer.concat([...done, TERMINATED])]);
  const sound = connect([Buffer.concat(done)]);
  const leases = [ending, sound].map(({ connection: resource }) => ({ resource, release: () => undefined }));
  const writes = new GroupedWrites({
    source: { waiting: 0, tryAcquire: () => leases.shift(), acquire: async () => leases.shift()! },
    maxConnections: 2,
    maxWaiting: 10,
    environment: ending.environment,
    isCheap: () => false,
    runAlone: () => expect.unreachable(),
  });
  const plan = new Plan(INSERT.text, false);
  const write = (): Promise<unknown> =>
    startCall(createCall({ form: 'run', statement: INSERT, plan }, {}, PLACE), (call) => writes.submit(call));
  expect(await write()).toEqual({ rowsAffected: 1 });
  expect(await write()).toEqual({ rowsAffected: 1 });
});

test('a COPY that was given up too late is done all the same', async () => {
  const stop = new AbortController();
  const last = (): Buffer => {
    stop.abort(new Error('enough'));
    return Buffer.concat([complete('COPY 1'), ready('I')]);
  };
  const { connection } = connect([message('G', Buffer.from([0, 0, 0])), last]);
  const copy = connection.copyIn('copy t from stdin', ['1\n'], { signal: stop.signal });
  expect(await copy).toEqual({ rowsAffected: 1 });
});

const PLACE: CallPlace = {
  placement: 'connection',
  transactionId: undefined,
  queryTimeoutMs: 0,
  serverLimits: NO_SERVER_LIMITS,
  observer: undefined,
};
