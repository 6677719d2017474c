import { readFileSync } from 'node:fs';

/** Of this package; the file stands above `src/cli/` and above `dist/cli/` alike. */
export function millpondVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
