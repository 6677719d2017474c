import { accessSync, constants, mkdirSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConnectionError } from '../errors/index.ts';
import { isDamage, type Failure } from './failure.ts';
import { FailureCode } from './protocol.ts';

/**
 * File systems that other machines can write to, by the magic number of statfs(2):
 * https://man7.org/linux/man-pages/man2/statfs.2.html
 */
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
 * Makes the folder of a database file, and refuses a place where SQLite's locks and shared memory cannot be
 * trusted. WAL needs memory shared between all users of the file: https://sqlite.org/wal.html#overview
 *
 * @throws ConnectionError
 */
export function preparePlace(
  path: string,
  {
    readOnly,
    fileSystemType = statfsType,
  }: { readonly readOnly: boolean; readonly fileSystemType?: (folder: string) => number },
): void {
  const folder = dirname(path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!readOnly) makeWritable(folder);
  else if (found === undefined)
    throw new ConnectionError(`There is no file at ${path}, and with readOnly: true none is made.`);
  if (found !== undefined && !found.isFile()) {
    throw new ConnectionError(
      `The database path is ${found.isDirectory() ? 'a folder' : 'no regular file'}: ${path}`,
    );
  }
  if (found === undefined || found.size === 0) assertNoLogAlone(path, found === undefined);
  const network = NETWORK_FILE_SYSTEMS.get(fileSystemType(folder));
  if (network === undefined) return;
  throw new ConnectionError(
    `${path} is on a network file system: ${network}. SQLite's write-ahead log corrupts a database there. ` +
      'Put the file on a local disk, or use a database server.',
  );
}

function makeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw new ConnectionError(`The folder of the database file cannot be made: ${folder}`, { cause });
  }
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const message = `This process may not write to the folder of the database file: ${folder}.`;
    throw new ConnectionError(`${message} SQLite keeps its log there.`, { cause });
  }
}

/**
 * A log without its database still holds what was committed, and SQLite would delete it:
 * `pagerOpenWalIfPresent` in https://sqlite.org/src/file/src/pager.c
 */
function assertNoLogAlone(path: string, isMissing: boolean): void {
  const log = `${path}-wal`;
  const bytes = statSync(log, { throwIfNoEntry: false })?.size ?? 0;
  if (bytes === 0) return;
  throw new ConnectionError(
    `The database file ${path} is ${isMissing ? 'missing' : 'empty'}, but its log is there, with ${bytes} ` +
      `bytes that may be all that is left of it: ${log}. Put the database file back, or move the log away ` +
      'to begin anew.',
    { code: 'ERR_MILLPOND_LOG_WITHOUT_DATABASE' },
  );
}

/** @returns undefined when the file is gone. */
function identifyFile(path: string): FileIdentity | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? undefined : { device: found.dev, inode: found.ino };
}

function statfsType(folder: string): number {
  // The kernel's value is signed on some platforms; the table above is not.
  return statfsSync(folder).type >>> 0;
}

/** Between two looks at the path; one costs about 2 µs. */
const CHECK_EVERY_MS = 100;
/** I/O errors at COMMIT, with no commit between them, after which the disk is not tried again. */
const MAX_DISK_FAILURES = 2;

/**
 * Stops writes for good when the file can no longer be trusted with them. Reads go on, and the health check
 * says why.
 *
 * - The path leads to another file than the one that was opened (moved, deleted, replaced): SQLite silently
 * goes on writing to the old file, and everything written is lost with it:
 * https://sqlite.org/howtocorrupt.html#unlink
 * - SQLite calls the file damaged: each further write could spoil more of it.
 * - COMMIT met an I/O error, and met one again on a new connection: nobody can say what a disk holds after a
 * failed fsync: https://www.usenix.org/conference/atc20/presentation/rebello
 *
 * The file itself is left as it is: nothing here deletes, truncates or repairs.
 */
export class FileWatch {
  readonly #path: string;
  #opened: FileIdentity | undefined;
  #checkedAt = 0;
  #diskFailures = 0;
  #fault: ConnectionError | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Takes the file that is there now for the one that was opened. */
  open(): void {
    this.#opened = this.#path === ':memory:' ? undefined : identifyFile(this.#path);
  }

  get isStopped(): boolean {
    return this.#fault !== undefined;
  }

  /** For writes: checks the path once in a while. @throws ConnectionError from the first fault on */
  assertSound(): void {
    const now = performance.now();
    if (this.#fault === undefined && now - this.#checkedAt < CHECK_EVERY_MS) return;
    this.check();
  }

  check(): void {
    if (this.#fault !== undefined) throw this.#fault;
    this.#checkedAt = performance.now();
    this.assertSameFile();
  }

  /** For a new connection: it would show, or even make, another file. @throws ConnectionError */
  assertSameFile(): void {
    if (this.#opened === undefined) return;
    const found = identifyFile(this.#path);
    if (found?.inode === this.#opened.inode && found.device === this.#opened.device) return;
    const state = found === undefined ? 'gone' : 'another file than the one opened';
    const message =
      `The database file at ${this.#path} is ${state}. ` +
      'Writes are stopped: they would go to a file that nobody can find. Put the file back and restart; if ' +
      'another one is to take its place, first move its -wal away, which SQLite would apply to the new one.';
    throw this.#stop(new ConnectionError(message, { code: 'ERR_MILLPOND_FILE_CHANGED' }));
  }

  /** To be called with every failure of the file's connections. */
  noteFailure(failure: Failure): void {
    if (isDamage(failure.code)) this.#stop(damagedError(this.#path, failure));
    if (failure.code !== FailureCode.diskFailed) return;
    this.#diskFailures += 1;
    if (this.#diskFailures >= MAX_DISK_FAILURES) this.#stop(diskError(this.#path, failure));
  }

  noteCommit(): void {
    this.#diskFailures = 0;
  }

  /** The first fault stands: what came later may follow from it. */
  #stop(fault: ConnectionError): ConnectionError {
    this.#fault ??= fault;
    return this.#fault;
  }
}

function damagedError(path: string, { message }: Failure): ConnectionError {
  return new ConnectionError(
    `The database file at ${path} is damaged (${message}). Writes are stopped; nothing was repaired or ` +
      'deleted. ' +
      'Restore a backup, or see https://sqlite.org/recovery.html',
    { code: 'ERR_MILLPOND_CORRUPT' },
  );
}

function diskError(path: string, { message }: Failure): ConnectionError {
  return new ConnectionError(
    `The disk under ${path} failed at COMMIT again (${message}), on a new connection. ` +
      'Writes are stopped: look at the ' +
      'disk, then restart.',
    { code: 'ERR_MILLPOND_STORAGE' },
  );
}
