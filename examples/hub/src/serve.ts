import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadIntoPostgres } from './arena/postgres-arena.ts';
import { PostgresServer } from './arena/postgres-server.ts';
import { CITIES_FILE, copyDatabase, createRunFolder, SERVICE_FILE } from './dataset/data-folder.ts';
import { ensureCities } from './dataset/ensure-cities.ts';
import type { Dialect } from './plain/sql-texts.ts';
import { paint } from './report/paint.ts';
import { startHub, type RunningHub } from './service/start-hub.ts';

/** The analyzer rests longer here than while it is measured. */
const ANALYZER_PAUSE_MS = 2000;
const REQUESTS_PER_MINUTE = 600;

/** Runs the service until `signal` aborts, then closes it: first the door, then the work, then the database. */
export async function serve(
  { port, dialect }: { readonly port: number; readonly dialect: Dialect },
  signal: AbortSignal,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const url = await (dialect === 'postgres' ? preparePostgres(stack, signal) : prepareFile(signal));
  const monitorToken = randomBytes(12).toString('base64url');
  const hub = stack.use(
    await startHub({
      url,
      port,
      monitorToken,
      tokenSecret: randomBytes(32).toString('base64url'),
      origins: ['http://localhost:5173'],
      requestsPerMinute: REQUESTS_PER_MINUTE,
      analyzerPauseMs: ANALYZER_PAUSE_MS,
    }),
  );
  announce(hub, monitorToken);
  await aborted(signal);
  console.log('\n  closing …');
  await stack.disposeAsync();
  console.log('  closed');
}

async function prepareFile(signal: AbortSignal): Promise<string> {
  await ensureCities(signal);
  if (!existsSync(SERVICE_FILE)) copyDatabase(CITIES_FILE, SERVICE_FILE);
  return `sqlite:${SERVICE_FILE}`;
}

async function preparePostgres(stack: AsyncDisposableStack, signal: AbortSignal): Promise<string> {
  const folder = stack.use(createRunFolder());
  const server = stack.use(await PostgresServer.start(join(folder.path, 'postgres'), signal));
  await loadIntoPostgres(server.urlOf('postgres'), signal);
  return server.urlOf('postgres');
}

function announce({ url }: RunningHub, monitorToken: string): void {
  const json = "-H 'content-type: application/json'";
  const lines = [
    `curl '${url}/cities?q=berl'`,
    `curl --compressed '${url}/cities?country=AT'`,
    `curl '${url}/nearby?lat=52.52&lon=13.41&km=30'`,
    `curl '${url}/crowded?among=20000'    # twice`,
    `curl ${json} -d '{"cityId":2950159,"visitor":"Ada"}' '${url}/checkins'`,
    `curl ${json} -d '{"name":"ada","password":"difference"}' '${url}/users'`,
    // Each line does something when it is pasted into a shell: the next but one uses what this one sets.
    `TOKEN=$(curl -s ${json} -d '{"name":"ada","password":"difference"}' '${url}/tokens' \\`,
    `     | node -pe 'JSON.parse(fs.readFileSync(0)).token')`,
    `curl ${json} -H "authorization: Bearer $TOKEN" \\`,
    `     -d '{"cityId":2950159,"text":"Good bread","tags":["food"]}' '${url}/notes'`,
    `curl '${url}/notes?q=bread'`,
  ];
  console.log(`\n  ${paint('bold', `listening on ${url}`)}, with the scheduler and the analyzer at work\n`);
  for (const line of lines) console.log(`    ${paint('cyan', line)}`);
  console.log(`\n  ${paint('bold', `monitor: ${url}/monitoring`)}`);
  console.log(`  any user name, and as the password this run's token: ${paint('cyan', monitorToken)}`);
  console.log(`\n  ${paint('dim', 'Ctrl-C closes it')}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
