import type { PeerName, PostgresPeerName } from '../../peers/index.ts';
import type { OpenServerPeer } from './open-server-peer.ts';

export type { OpenServerPeer } from './open-server-peer.ts';
export { CONNECTIONS } from './statements.ts';

/** Loaded one per process. */
const PEERS: Readonly<Record<PostgresPeerName, () => Promise<OpenServerPeer>>> = {
  millpond: async () => (await import('./millpond.ts')).openPeer,
  pg: async () => (await import('./pg.ts')).openPeer,
  'pg named': async () => (await import('./pg.ts')).openNamedPeer,
  'postgres.js': async () => (await import('./postgres-js.ts')).openPeer,
};

/** The pool of `pg`, in both ways to call it: whichever is faster counts. */
export const PG_PEERS: readonly PostgresPeerName[] = ['pg', 'pg named'];
export const OTHER_PEERS: readonly PostgresPeerName[] = [...PG_PEERS, 'postgres.js'];
export const ALL_PEERS: readonly PostgresPeerName[] = ['millpond', ...OTHER_PEERS];

export function loadServerPeer(name: PeerName): Promise<OpenServerPeer> {
  return PEERS[name as PostgresPeerName]();
}
