import { existsSync } from 'node:fs';
import { CITIES_FILE, copyDatabase, SERVICE_FILE } from './dataset/data-folder.ts';
import { ensureCities } from './dataset/ensure-cities.ts';
import { paint } from './report/paint.ts';
import { AfterStore } from './service/after-store.ts';
import { createApp } from './service/app.ts';
import { Background } from './service/background.ts';
import { listen, type HttpServer } from './service/http-server.ts';

/** Alone on the machine, the analyzer may take it easier than while it is measured. */
const ANALYZER_PAUSE_MS = 2000;

/** Runs the service until `signal` aborts, then closes it: first the door, then the work, then the file. */
export async function serve(port: number, signal: AbortSignal): Promise<void> {
  await ensureCities(signal);
  if (!existsSync(SERVICE_FILE)) copyDatabase(CITIES_FILE, SERVICE_FILE);
  const store = await AfterStore.open(`sqlite:${SERVICE_FILE}`);
  try {
    const server = await listen(createApp(store), port);
    const background = new Background(store, { analyzerPauseMs: ANALYZER_PAUSE_MS });
    try {
      await background.start();
      announce(server);
      await aborted(signal);
      console.log('\n  closing …');
    } finally {
      await server.close();
      await background.stop();
    }
  } finally {
    await store.close();
  }
  console.log('  closed');
}

function announce({ url }: HttpServer): void {
  const lines = [
    `curl '${url}/cities/2950159'`,
    `curl '${url}/cities?q=berl'`,
    `curl '${url}/nearby?lat=52.52&lon=13.41&km=30'`,
    `curl '${url}/crowded?among=1000'`,
    `curl -H 'content-type: application/json' -d '{"cityId":2950159,"visitor":"Ada"}' '${url}/checkins'`,
  ];
  console.log(`\n  ${paint('bold', `listening on ${url}`)}, with the scheduler and the analyzer at work\n`);
  for (const line of lines) console.log(`    ${paint('cyan', line)}`);
  console.log(`\n  ${paint('dim', 'Ctrl-C closes it')}`);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
