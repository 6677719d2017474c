import { databaseContract } from '../../src/testing/index.ts';
import { openFile, openMemory, runner } from './sqlite-database.ts';

const NOTHING_BESIDE = 'its only connection serves one transaction, stream or lease at a time';

/** What cannot be with one connection. */
const skip = {
  'a stream shows one moment: rows written while it is read are not in it (B5)': NOTHING_BESIDE,
  'a stream leaves room for other calls while it is read (S1)': NOTHING_BESIDE,
  'a transaction shows what it wrote to itself alone until it commits (B5)': NOTHING_BESIDE,
  'a transaction that is read-only sees one moment for all of its length (B5)': NOTHING_BESIDE,
  "a transaction inside another is left with 'not-supported' and withoutTransaction(): what is read there was committed":
    NOTHING_BESIDE,
  'a transaction handle is the only way into it: calls on the database are not part of it': NOTHING_BESIDE,
  'a limit on one statement lets the others answer meanwhile (S1)': NOTHING_BESIDE,
};

databaseContract('SQLite in a file', openFile(), { runner });

databaseContract('SQLite in a file, without inline reads', openFile({ inlineReads: false }), { runner });

databaseContract('SQLite in a file, with one connection', openFile({ pooled: false }), { runner, skip });

databaseContract('SQLite in memory', openMemory, { runner, skip });
