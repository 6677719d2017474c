import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../src/index.ts';
import { bindQueries, generateQueries, type UntypedQuery } from '../src/queries/index.ts';
import { parseSqlFile, SourceText } from '../src/sqlfile/index.ts';

/**
 * The costs of SQL files: reading them, making types for them, and calling their queries instead of `db.get`.
 * `node bench/sql-files.ts`
 */
const SCHEMA = `create table jobs (id integer primary key, name text not null, queue text);
create table runs (id integer primary key, job_id int not null, note text);
insert into jobs values (1, 'a', 'b');`;
const GET_JOB = 'select id, name, queue from jobs where id = :id';
const ROUNDS = 41;
const CALLS = 10_000;
const TOGETHER = 20;

function queryText(number: number): string {
  return `-- name: get_job_${number}^
-- One job, number ${number}.
select j.id, j.name, j.queue, coalesce(r.note, 'none') as note
from jobs j left join runs r on r.job_id = j.id -- the runs
where j.id = :id and j.name <> 'it''s :x' limit 1;

`;
}

function textOf(queries: number): string {
  return Array.from({ length: queries }, (_, number) => queryText(number)).join('');
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1]!;
}

function measureParsing(): void {
  const text = textOf(8_000);
  const speeds = Array.from({ length: ROUNDS }, () => {
    const began = performance.now();
    parseSqlFile(new SourceText('jobs.sql', text));
    return text.length / 1_000 / (performance.now() - began);
  });
  console.log(`read: ${median(speeds).toFixed(1)} MB/s, at best ${Math.max(...speeds).toFixed(1)}`);
}

async function measureGeneration(folder: string): Promise<void> {
  writeFileSync(join(folder, 'init.sql'), SCHEMA);
  writeFileSync(join(folder, 'jobs.sql'), textOf(1_000));
  const began = performance.now();
  await generateQueries({ sql: folder });
  console.log(`1,000 queries generated: ${(performance.now() - began).toFixed(0)} ms`);
}

async function measureCalls(folder: string): Promise<void> {
  await using db = await openDatabase({
    url: `sqlite:${join(folder, 'jobs.db')}`,
    name: false,
    log: 'silent',
  });
  await db.script(SCHEMA);
  const source = { file: 'jobs.sql', folders: [], text: `-- name: get_job^\n${GET_JOB}` };
  const getJob: UntypedQuery = bindQueries(db, [source])['getJob']!;
  const options = { name: 'getJob' };
  const ways = {
    'db.get': (id: number) => db.get(GET_JOB, { id }),
    'db.get with a name': (id: number) => db.get(GET_JOB, { id }, options),
    'the query': (id: number) => getJob({ id }),
  };
  const times = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const [name, call] of Object.entries(ways)) {
      const began = performance.now();
      for (let calls = 0; calls < CALLS; calls += TOGETHER) {
        await Promise.all(Array.from({ length: TOGETHER }, () => call(1)));
      }
      if (round >= 0) times.get(name)!.push(((performance.now() - began) * 1_000) / CALLS);
    }
  }
  for (const [name, each] of times) console.log(`${name}: ${median(each).toFixed(2)} µs`);
}

const folder = mkdtempSync(join(tmpdir(), 'millpond-bench-'));
try {
  measureParsing();
  await measureGeneration(folder);
  await measureCalls(folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
