import { inject } from 'vitest';
import { Client } from 'pg';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for the servers that they share: see `test/setup/shared-servers.ts`. */
    readonly sharedServers: string;
  }
}

/** The PostgreSQL 18 that all test files of a run share: its superuser's URL. It starts when the first one asks. */
export async function sharedPostgresUrl(): Promise<string> {
  return await ask('/postgres');
}

/** The Redis that all test files of a run share. Use keys of your own; do not flush it. */
export async function sharedRedisUrl(): Promise<string> {
  return await ask('/redis');
}

let databases = 0;

/** A new, empty database on the shared PostgreSQL. It goes with the server. @returns its URL */
export async function sharedPostgresDatabase(): Promise<string> {
  const url = await sharedPostgresUrl();
  const name = `shared_${process.pid}_${++databases}`;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  return Object.assign(new URL(url), { pathname: `/${name}` }).href;
}

async function ask(path: string): Promise<string> {
  const answer = await fetch(inject('sharedServers') + path);
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text;
}
