import { runMain } from '../run/main.ts';
import { runPostgresBench } from './bench.ts';
import { POSTGRES_WORKS } from './works.ts';

/** Connections are opened, and statements become known, in the warm-up: both take longer than with a file. */
const LONGER = { warmUp: 4, measure: 2 };

await runMain({
  program: 'bench/postgres/main.ts',
  works: POSTGRES_WORKS,
  results: new URL('../RESULTS-postgres.md', import.meta.url),
  run: (options, onProgress) =>
    runPostgresBench(
      {
        ...options,
        warmUpMs: options.warmUpMs * LONGER.warmUp,
        measureMs: options.measureMs * LONGER.measure,
      },
      onProgress,
    ),
});
