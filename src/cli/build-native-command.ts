import { relative } from 'node:path';
import { buildInterruptLibrary } from '../sqlite/index.ts';
import { ExitCode, type CommandResult } from './command.ts';

/** `millpond build-native`: the extension that stops a running SQLite statement, built with a C compiler. */
export function buildNativeCommand(): CommandResult {
  const { path, outcome, failures } = buildInterruptLibrary();
  const shown = relative(process.cwd(), path);
  const text =
    outcome === 'failed'
      ? `${shown} was not built: ${failures.join('; ')}. Install a C compiler, or name one in CC. Without ` +
        'it statements past their deadline are stopped between two rows, or their worker is replaced.'
      : `${shown}: ${outcome}.`;
  return {
    json: { path, outcome, failures },
    text,
    exitCode: outcome === 'failed' ? ExitCode.failed : ExitCode.ok,
  };
}
