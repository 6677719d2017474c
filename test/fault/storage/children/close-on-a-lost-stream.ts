/** Leaves a stream open, as a consumer does that forgot it, and closes the database. Argument: the file. */
import { openDatabase } from '../../../../src/index.ts';
import { tell } from './tell.ts';

const [path] = process.argv.slice(2) as [string];
const db = await openDatabase(`sqlite:${path}`, { log: 'silent' });
await db.script('create table numbers (i int)');
await db.run(
  'with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into numbers select i from n',
);
const stream = db.stream('select i from numbers');
await stream.next();
tell('left open');
await db.close({ timeoutMs: 200 });
tell('closed');
