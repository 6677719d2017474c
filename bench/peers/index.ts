import type { LeasePeerModule, SqlPeerModule } from './peer.ts';

export type PeerName = SqlitePeerName | PostgresPeerName;

/** Peers of `npm run bench:postgres`; millpond takes part in both benchmarks. */
export type PostgresPeerName = 'millpond' | 'pg' | 'pg named' | 'postgres.js';

type SqlitePeerName =
  | 'millpond'
  | 'better-sqlite3'
  | 'node:sqlite'
  | 'libsql promise'
  | 'better-sqlite3 workers'
  | 'drizzle'
  | 'millpond drizzle'
  | 'millpond kysely'
  | 'kysely'
  | 'millpond pool'
  | 'tarn'
  | 'generic-pool';

export type {
  ItemRow,
  LeasePeer,
  LeasePeerModule,
  MaybePromise,
  OpenOptions,
  SqlPeer,
  SqlPeerModule,
  Synchronous,
} from './peer.ts';
export { scanOf } from './statements.ts';

/** Loaded one per process: no peer shares a heap, or compiled code, with another. */
const MODULES: Readonly<Record<SqlitePeerName, () => Promise<SqlPeerModule | LeasePeerModule>>> = {
  millpond: () => import('./millpond.ts'),
  'better-sqlite3': () => import('./better-sqlite3.ts'),
  'node:sqlite': () => import('./node-sqlite.ts'),
  'libsql promise': () => import('./libsql.ts'),
  'better-sqlite3 workers': () => import('./worker-recipe.ts'),
  drizzle: () => import('./drizzle.ts'),
  'millpond drizzle': () => import('./millpond-drizzle.ts'),
  'millpond kysely': () => import('./millpond-kysely.ts'),
  kysely: () => import('./kysely.ts'),
  'millpond pool': () => import('./millpond-pool.ts'),
  tarn: () => import('./tarn.ts'),
  'generic-pool': () => import('./generic-pool.ts'),
};

/** The synchronous drivers that the goals compare with. */
export const SYNCHRONOUS_DRIVERS: readonly PeerName[] = ['better-sqlite3', 'node:sqlite'];

/** One connection per opened peer, used by the calling thread: a second reader is a second connection. */
export function isSynchronous(name: PeerName): boolean {
  return !name.startsWith('millpond') && name !== 'better-sqlite3 workers';
}

export async function loadSqlPeer(name: PeerName): Promise<SqlPeerModule> {
  const module = await MODULES[name as SqlitePeerName]();
  if (!('openPeer' in module)) throw new TypeError(`"${name}" is a pool, this work needs a database.`);
  return module;
}

export async function loadLeasePeer(name: PeerName): Promise<LeasePeerModule> {
  const module = await MODULES[name as SqlitePeerName]();
  if (!('openPool' in module)) throw new TypeError(`"${name}" is a database, this work needs a pool.`);
  return module;
}
