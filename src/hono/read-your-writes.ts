import type { MiddlewareHandler } from 'hono';
import { getDb, type Database } from '../database/index.ts';
import { anything, checkOptions, type Check } from './option-checks.ts';

/** What is needed of a database; one without replicas need not have it. */
type ReplicatedDatabase = Pick<Database, 'readYourWrites' | 'lastWrite'>;

export interface ReadYourWritesOptions {
  /** By its name, or one that is open. @default 'main' */
  readonly database?: string | ReplicatedDatabase | undefined;
  /**
   * Of a response: the token of what the request wrote. Of a request: what its reads must see. Clients send
   * back what they were given.
   * @default 'X-Read-After'
   */
  readonly header?: string | undefined;
}

/** A place in the log of PostgreSQL: https://www.postgresql.org/docs/current/datatype-pg-lsn.html */
const TOKEN = /^[\da-f]{1,8}\/[\da-f]{1,8}$/i;
const headerCheck: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z][A-Za-z0-9-]{0,100}$/.test(value)
    ? undefined
    : 'must be the name of a header';
const CHECKS = { database: anything, header: headerCheck };

/**
 * Reads of a request from replicas see what the request wrote, and what the client wrote before, and wait for
 * nobody else's writes. Goes outside of `transactional`. An invalid token is ignored. A client that makes one
 * up waits, at most `replica.waitMs`, and is served by the primary.
 *
 * @throws ConfigError for wrong options
 */
export function readYourWrites(given: ReadYourWritesOptions = {}): MiddlewareHandler {
  const { database = 'main', header = 'X-Read-After' } = checkOptions('readYourWrites', given, CHECKS);
  return async function readOwnWrites(context, next) {
    const db = typeof database === 'string' ? getDb(database) : database;
    const token = context.req.header(header);
    const after = token !== undefined && TOKEN.test(token) ? token : undefined;
    const work = async (): Promise<void> => {
      await next();
      const written = await db.lastWrite();
      if (written !== undefined) context.res.headers.set(header, written);
    };
    await db.readYourWrites(work, { after });
  };
}
