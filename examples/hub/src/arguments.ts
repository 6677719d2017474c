import { parseArgs } from 'node:util';
import type { Dialect } from './plain/sql-texts.ts';

const DEFAULT_SECONDS = 6;
const DEFAULT_PORT = 3000;

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'compare'; readonly dialect: Dialect; readonly seconds: number }
  | { readonly kind: 'serve'; readonly dialect: Dialect; readonly port: number };

/** The command line is wrong; the message says how. */
export class ArgumentsError extends Error {
  override readonly name = 'ArgumentsError';
}

export const HELP: string = `npm run demo -- [options]

One service on one SQLite file of cities: an HTTP API, a scheduler and an analyzer at once.
Without options it is measured side by side, before and after millpond, in about 40 seconds:
first the data layer under the same HTTP code, then the whole services.

  --seconds N   measure each data layer for N seconds, 1 to 600 (default ${DEFAULT_SECONDS})
  --postgres    on a PostgreSQL that is started for it, and gone afterwards
  --serve       keep the service with millpond, and its monitor, running until Ctrl-C
  --port N      with --serve: listen here, 0 for any free port (default ${DEFAULT_PORT})
  --help        this text
`;

/** @throws ArgumentsError */
export function parseArguments(given: readonly string[]): Command {
  const { seconds, postgres = false, serve, port, help } = readOptions(given);
  if (help) return { kind: 'help' };
  if (serve) {
    if (seconds !== undefined)
      throw new ArgumentsError('--seconds is for measuring and does not go with --serve');
    return {
      kind: 'serve',
      dialect: postgres ? 'postgres' : 'sqlite',
      port: toInteger('--port', port, { least: 0, most: 65_535, fallback: DEFAULT_PORT }),
    };
  }
  if (port !== undefined) throw new ArgumentsError('--port goes with --serve only');
  return {
    kind: 'compare',
    dialect: postgres ? 'postgres' : 'sqlite',
    seconds: toInteger('--seconds', seconds, { least: 1, most: 600, fallback: DEFAULT_SECONDS }),
  };
}

function readOptions(given: readonly string[]): {
  seconds?: string;
  postgres?: boolean;
  serve?: boolean;
  port?: string;
  help?: boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...given],
      options: {
        seconds: { type: 'string' },
        postgres: { type: 'boolean' },
        serve: { type: 'boolean' },
        port: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    // Node's message goes on about positional arguments after its first sentence.
    const [message = 'unreadable'] = error instanceof Error ? error.message.split('. ') : [];
    throw new ArgumentsError(message);
  }
}

function toInteger(
  name: string,
  given: string | undefined,
  limits: { readonly least: number; readonly most: number; readonly fallback: number },
): number {
  if (given === undefined) return limits.fallback;
  const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (number >= limits.least && number <= limits.most) return number;
  throw new ArgumentsError(
    `${name} is a whole number from ${limits.least} to ${limits.most}, not "${given}"`,
  );
}
