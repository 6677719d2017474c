import { mkdirSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConnectionError } from '../errors/index.ts';

/** File systems that other machines can write to, by the magic number of statfs(2): https://man7.org/linux/man-pages/man2/statfs.2.html */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x01021997, '9P'],
  [0x73757245, 'Coda'],
  [0x65735546, 'FUSE (virtiofs, sshfs and others)'],
]);

/** Which file on which device; another pair under the same path is another file. */
export interface FileIdentity {
  readonly device: number;
  readonly inode: number;
}

/**
 * Makes the folder of a database file, and refuses a place where SQLite's locks and shared memory cannot be trusted.
 * WAL needs memory shared between all users of the file: https://sqlite.org/wal.html#overview
 *
 * @throws ConnectionError
 */
export function preparePlace(path: string, fileSystemType: (folder: string) => number = statfsType): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ConnectionError(`The folder of the database file cannot be made: ${folder}`, { cause });
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) {
    throw new ConnectionError(`The database path is ${found.isDirectory() ? 'a folder' : 'no regular file'}: ${path}`);
  }
  const network = NETWORK_FILE_SYSTEMS.get(fileSystemType(folder));
  if (network === undefined) return;
  throw new ConnectionError(
    `${path} is on a network file system: ${network}. SQLite's write-ahead log corrupts a database there. ` +
      'Put the file on a local disk, or use a database server.',
  );
}

/** @returns undefined when the file is gone. */
export function identifyFile(path: string): FileIdentity | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : { device: found.dev, inode: found.ino };
}

function statfsType(folder: string): number {
  // The kernel's value is signed on some platforms; the table above is not.
  return statfsSync(folder).type >>> 0;
}

/** Between two looks at the path. */
const CHECK_EVERY_MS = 1_000;

/**
 * Notices that the path no longer leads to the file that was opened (moved, deleted, replaced): SQLite goes on writing
 * to the old file without a word, and everything written is lost with it: https://sqlite.org/howtocorrupt.html#unlink
 * Writes stop then, for good.
 */
export class FileWatch {
  readonly #path: string;
  #opened: FileIdentity | undefined;
  #checkedAt = 0;
  #fault: ConnectionError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the file that is there now for the one that was opened. */
  open(): void {
    this.#opened = this.#path === ':memory:' ? undefined : identifyFile(this.#path);
  }

  /** For writes: looks at the path once in a while. @throws ConnectionError from the moment that the file has changed */
  assertSound(): void {
    const now = performance.now();
    if (this.#fault === undefined && now - this.#checkedAt < CHECK_EVERY_MS) return;
    this.check();
  }

  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
    this.#checkedAt = performance.now();
    if (this.#opened === undefined) return;
    const found = identifyFile(this.#path);
    if (found?.inode === this.#opened.inode && found.device === this.#opened.device) return;
    this.#fault = new ConnectionError(
      `The database file at ${this.#path} is ${found === undefined ? 'gone' : 'another file than the one that was opened'}. ` +
        'Writes are stopped: they would go to a file that nobody can find. Put the file back and restart.',
      { code: 'ERR_MILLPOND_FILE_CHANGED' },
    );
    throw this.#fault;
  }
}
