import { fileURLToPath } from 'node:url';

/** Where the code of millpond is: `src/`, or `dist/` of the package. */
const OWN_FOLDER = new URL('..', import.meta.url);

/**
 * The frames of a stack that are neither millpond's nor Node's, nor (if there are others) an installed
 * package's: `checkOut (/app/src/orders.ts:12:9)`, the innermost first.
 *
 * @param stack frames, one a line; other lines, such as the error's message, are left out
 */
export function usersFrames(stack: string, ownFolder: URL = OWN_FOLDER): readonly string[] {
  const own = [ownFolder.href, fileURLToPath(ownFolder)];
  const foreign = stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !/node:|<anonymous>\)?$/.test(line))
    .filter((line) => !own.some((folder) => line.includes(folder)))
    .map((line) => line.slice('at '.length));
  const written = foreign.filter((frame) => !frame.includes('/node_modules/'));
  return written.length > 0 ? written : foreign;
}
