import { DatabaseSync } from 'node:sqlite';
import { Child } from './child.ts';
import { Findings, type Extent, type Outcome } from './experiment.ts';
import { Scratch } from './scratch.ts';

export const COUNTERS = 5;
export const ACCOUNTS = 10;
const OPENING_BALANCE = 1_000;

/**
 * C14: several processes count up and move money in one file. No update is lost, no money appears, and nobody
 * is told that the file is locked. `count` operations are shared out among them.
 */
export async function runProcesses({ count, seed }: Extent, processes: number = 3): Promise<Outcome> {
  const findings = new Findings();
  using scratch = new Scratch();
  const path = scratch.file('app.db');
  prepare(path);
  const each = Math.ceil(count / processes);
  const children = Array.from({ length: processes }, (_, index) => start(path, each, seed + index, findings));
  const limit = await Promise.all(children.map(({ ended }) => ended));
  limit.forEach(({ code, stderr }, index) => {
    if (code !== 0) findings.break(`process ${index} ended with ${code}: ${stderr}`);
  });
  const increments = findings.outcome().counts['increments'] ?? 0;
  check(path, increments, findings);
  findings.add('processes', processes);
  findings.add('operations', each * processes);
  return findings.outcome();
}

function prepare(path: string): void {
  const database = new DatabaseSync(path);
  database.exec(`pragma journal_mode = wal;
    create table counters (id integer primary key, value int not null);
    create table accounts (id integer primary key, balance int not null);`);
  for (let id = 1; id <= COUNTERS; id += 1) database.exec(`insert into counters values (${id}, 0)`);
  for (let id = 1; id <= ACCOUNTS; id += 1)
    database.exec(`insert into accounts values (${id}, ${OPENING_BALANCE})`);
  database.close();
}

function start(path: string, operations: number, seed: number, findings: Findings): Child {
  return new Child('count-and-transfer', [path, String(operations), String(seed)], {
    limitMs: 60_000 + operations * 10,
    onLine: (line) => {
      const [word, first, second] = line.split(' ');
      if (word === 'error') findings.break(`a caller was told ${line.slice('error '.length)}`);
      if (word !== 'done') return;
      findings.add('increments', Number(first));
      findings.most('slowestMs', Number(second));
    },
  });
}

function check(path: string, increments: number, findings: Findings): void {
  const database = new DatabaseSync(path);
  const one = (sql: string) => Object.values(database.prepare(sql).get()!)[0];
  const counted = Number(one('select sum(value) from counters'));
  const money = Number(one('select sum(balance) from accounts'));
  if (counted !== increments)
    findings.break(`${increments} increments were acknowledged, ${counted} are there`);
  if (money !== ACCOUNTS * OPENING_BALANCE) findings.break(`the accounts hold ${money}`);
  const integrity = one('pragma integrity_check');
  if (integrity !== 'ok') findings.break(`integrity_check says ${String(integrity)}`);
  database.close();
}
