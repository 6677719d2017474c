import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileWatch, preparePlace } from './file-guard.ts';
import { FailureCode } from './protocol.ts';

const CORRUPT = 11;
const CORRUPT_INDEX = 779;
const CORRUPT_VIRTUAL_TABLE = 267;
const NOT_A_DATABASE = 26;
const CONSTRAINT = 19;

let folder: string;
let path: string;
let watch: FileWatch;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millpond-file-guard-'));
  path = join(folder, 'app.db');
  writeFileSync(path, 'content');
  watch = new FileWatch(path);
  watch.open();
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a watched file', () => {
  test('is sound at first', () => {
    expect(() => watch.check()).not.toThrow();
  });

  test('stops writes when its path leads to nothing, and for good (B19)', () => {
    renameSync(path, `${path}.away`);
    expect(() => watch.check()).toThrow(expect.objectContaining({ code: 'ERR_MILLPOND_FILE_CHANGED' }));
    renameSync(`${path}.away`, path);
    expect(() => watch.assertSound()).toThrow(/is gone/);
  });

  test('stops writes when its path leads to another file (B19)', () => {
    // The new file is there first: it cannot get the old one's inode.
    writeFileSync(`${path}.new`, 'content');
    renameSync(`${path}.new`, path);
    expect(() => watch.check()).toThrow(/another file/);
  });

  test.each([CORRUPT, CORRUPT_INDEX, NOT_A_DATABASE])(
    'stops writes when SQLite says %i, that it is damaged (B19)',
    (code) => {
      watch.noteFailure({ code, message: 'database disk image is malformed' });
      expect(() => watch.assertSound()).toThrow(expect.objectContaining({ code: 'ERR_MILLPOND_CORRUPT' }));
      // Reads go on, on new connections too.
      expect(() => watch.assertSameFile()).not.toThrow();
    },
  );

  test.each([CORRUPT_VIRTUAL_TABLE, CONSTRAINT, FailureCode.outcomeUnknown])(
    'goes on after failure %i',
    (code) => {
      for (let times = 0; times < 5; times += 1) watch.noteFailure({ code, message: 'no fault of the file' });
      expect(() => watch.check()).not.toThrow();
    },
  );

  test('stops writes at the second I/O error of COMMIT (B19)', () => {
    watch.noteFailure({ code: FailureCode.diskFailed, message: 'disk I/O error' });
    expect(() => watch.check()).not.toThrow();
    watch.noteFailure({ code: FailureCode.diskFailed, message: 'disk I/O error' });
    expect(() => watch.check()).toThrow(expect.objectContaining({ code: 'ERR_MILLPOND_STORAGE' }));
  });

  test('forgives one when a commit went through after it', () => {
    for (let times = 0; times < 5; times += 1) {
      watch.noteFailure({ code: FailureCode.diskFailed, message: 'disk I/O error' });
      watch.noteCommit();
    }
    expect(() => watch.check()).not.toThrow();
  });

  test('keeps to its first fault', () => {
    watch.noteFailure({ code: CORRUPT, message: 'malformed' });
    renameSync(path, `${path}.away`);
    expect(() => watch.check()).toThrow(expect.objectContaining({ code: 'ERR_MILLPOND_CORRUPT' }));
  });
});

describe('the place of a database file (C58)', () => {
  const prepare = (type: number) => () => preparePlace(path, { readOnly: false, fileSystemType: () => type });

  test.each([
    [0x6969, 'NFS'],
    [0xff534d42, 'CIFS'],
    [0x01021997, '9P'],
    [0x65735546, 'FUSE'],
  ])('is refused on a file system that other machines write to: %i', (type, name) => {
    expect(prepare(type)).toThrow(`is on a network file system: ${name}`);
  });

  test.each([0xef53, 0x9123683e, 0x58465342, 0x01021994, 0])(
    'is accepted on one of this machine: %i',
    (type) => expect(prepare(type)).not.toThrow(),
  );
});
