import { runBench } from './run/bench.ts';
import { runMain } from './run/main.ts';
import { WORKS } from './works/index.ts';

await runMain({
  program: 'bench/main.ts',
  works: WORKS,
  results: new URL('RESULTS.md', import.meta.url),
  run: runBench,
});
