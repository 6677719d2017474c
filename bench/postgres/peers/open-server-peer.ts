import type { SqlPeer } from '../../peers/index.ts';

/** Opens a peer on a server, with at most `CONNECTIONS` connections. */
export type OpenServerPeer = (
  url: string,
  options?: {
    /** The work does nothing but transactions. */
    readonly transactions?: boolean;
  },
) => Promise<SqlPeer>;
