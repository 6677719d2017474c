import type { Task } from '../run/cell.ts';

/** What the process of a cell on a server is told. */
export interface ServerTask extends Task {
  readonly url: string;
}

/** What is read back through every peer before anything is measured. */
export const SERVER_SETTINGS = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'default_transaction_isolation',
] as const;
