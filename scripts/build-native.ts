/**
 * Builds the interrupt extension for the tests and the demo. Without a C compiler this prints what is lost and
 * succeeds, unless `--strict` is given.
 */
import { relative } from 'node:path';
import { buildInterruptLibrary } from '../src/sqlite/build-interrupt.ts';

const isStrict = process.argv.includes('--strict');
const { path, outcome, failures } = buildInterruptLibrary({ isStrict });
const shown = relative(process.cwd(), path);

if (outcome === 'failed') {
  console.error(
    `${shown} was not built (${failures.join('; ')}). millpond works without it: a statement past its ` +
      'deadline is then stopped between two of its rows, or its worker is abandoned and replaced.',
  );
  if (isStrict) process.exitCode = 1;
} else {
  console.log(outcome === 'built' ? `built ${shown}` : `${shown} is up to date`);
}
