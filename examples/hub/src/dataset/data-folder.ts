import { constants, copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUN_FOLDER = /^run-(\d+)$/;

/** Everything the demonstration writes is in here; git ignores it. */
export const DATA_FOLDER: string = fileURLToPath(new URL('../../data', import.meta.url));

/** The loaded cities, kept from run to run. A new version of the tables gets a new name. */
export const CITIES_FILE: string = join(DATA_FOLDER, 'cities-v3.db');

/** Where `--serve` keeps its check-ins. */
export const SERVICE_FILE: string = join(DATA_FOLDER, 'service-v3.db');

/** A folder for one run's copies, gone when the scope ends. */
export function createRunFolder(): { readonly path: string } & Disposable {
  removeAbandonedRuns();
  const path = join(DATA_FOLDER, `run-${process.pid}`);
  mkdirSync(path, { recursive: true });
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Copies a closed database: there is no `-wal` beside it that would have to come along. */
export function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
}

/** A run that was killed leaves its folder; its process id tells whether it still runs. */
function removeAbandonedRuns(): void {
  mkdirSync(DATA_FOLDER, { recursive: true });
  for (const name of readdirSync(DATA_FOLDER)) {
    const pid = Number(RUN_FOLDER.exec(name)?.[1]);
    if (pid > 0 && !isRunning(pid)) rmSync(join(DATA_FOLDER, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
