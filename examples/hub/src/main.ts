import { ArgumentsError, HELP, parseArguments, type Command } from './arguments.ts';
import { compare } from './compare.ts';
import { serve } from './serve.ts';
import { Stopped } from './stopped.ts';

const FAILED = 1;
const WRONG_ARGUMENTS = 2;

process.exitCode = await main(process.argv.slice(2));

/** Resolves with the exit code. */
async function main(given: readonly string[]): Promise<number> {
  const command = readCommand(given);
  if (command === undefined) return WRONG_ARGUMENTS;
  const stopping = new AbortController();
  const stop = (name: NodeJS.Signals): void => stopping.abort(new Stopped(name));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // The reader of a pipe went away, as in `npm run demo | head`: the run ends as if a signal had said so.
  process.stdout.on('error', () => stop('SIGPIPE'));
  try {
    return await run(command, stopping.signal);
  } catch (error) {
    return report(error);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

async function run(command: Command, signal: AbortSignal): Promise<number> {
  if (command.kind === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (command.kind === 'compare') return (await compare(command, signal)) ? 0 : FAILED;
  await serve(command, signal);
  return 0;
}

function readCommand(given: readonly string[]): Command | undefined {
  try {
    return parseArguments(given);
  } catch (error) {
    if (!(error instanceof ArgumentsError)) throw error;
    console.error(`${error.message}\n\n${HELP}`);
    return undefined;
  }
}

function report(error: unknown): number {
  if (error instanceof Stopped) {
    console.error(`\n  ${error.message}`);
    return error.exitCode;
  }
  const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  console.error(taken ? `  ${error.message}: another program listens there, choose another --port` : error);
  return FAILED;
}
