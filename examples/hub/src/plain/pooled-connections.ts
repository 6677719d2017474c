import { Pool, types, type PoolClient } from 'pg';

/** As many as pg's own default, and as many ordinary ones as millpond opens. */
export const POOL_SIZE = 10;
/** `:name`, but not the `::` of a cast. */
const NAMED = /(?<!:):([a-z]\w*)/gi;

type Params = Readonly<Record<string, string | number | null>>;
type Row = Record<string, unknown>;

interface Prepared {
  /** Under this name a connection prepares the text once: the comparison is not about preparing. */
  readonly name: string;
  /** With `$1` for the first of `names`, and so on. */
  readonly text: string;
  readonly names: readonly string[];
}

/**
 * A `pg.Pool`: what services on PostgreSQL start with; here it is called *before*. Each statement has a connection
 * to itself until it is answered, and when all are taken, callers wait.
 */
export class PooledConnections {
  readonly #pool: Pool;
  readonly #prepared = new Map<string, Prepared>();

  constructor(url: string) {
    this.#pool = new Pool({ connectionString: url, max: POOL_SIZE, types: { getTypeParser } });
    // An idle connection that the server closed: the pool drops it, and the next caller gets another.
    this.#pool.on('error', (error) => console.error(error.message));
  }

  async all(text: string, params: Params = {}, on: Pool | PoolClient = this.#pool): Promise<Row[]> {
    const { name, text: positional, names } = this.#prepare(text);
    const values = names.map((key) => params[key]);
    return (await on.query<Row>({ name, text: positional, values })).rows;
  }

  /** Runs `work` on one connection in one transaction. */
  async transaction<T>(work: (connection: PoolClient) => Promise<T>): Promise<T> {
    const connection = await this.#pool.connect();
    try {
      await connection.query('begin');
      const result = await work(connection);
      await connection.query('commit');
      connection.release();
      return result;
    } catch (error) {
      // Closed with its transaction, whatever state that is in.
      connection.release(true);
      throw error;
    }
  }

  /** Waits for what runs. */
  close(): Promise<void> {
    return this.#pool.end();
  }

  #prepare(text: string): Prepared {
    let prepared = this.#prepared.get(text);
    if (prepared === undefined) {
      const names: string[] = [];
      const positional = text.replaceAll(NAMED, (_, name: string) => {
        if (!names.includes(name)) names.push(name);
        return `$${names.indexOf(name) + 1}`;
      });
      prepared = { name: `statement_${this.#prepared.size}`, text: positional, names };
      this.#prepared.set(text, prepared);
    }
    return prepared;
  }
}

/** bigint as a number, which is exact for the ids, counts and times of this service. */
function getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  if (oid === types.builtins.INT8) return Number;
  return types.getTypeParser(oid, format);
}
