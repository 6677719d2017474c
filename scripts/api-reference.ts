/**
 * Writes the reference of every door of the package to `docs/api/`, from the declarations in `dist/`: what is exported,
 * as the compiler sees it, with its comment. To be run after a build.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readDoor, toMarkdown } from './api-reference/read-door.ts';

const ROOT = new URL('../', import.meta.url);
const FOLDER = new URL('docs/api/', ROOT);

const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
};
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });

const lines = ['# API reference', '', 'Made by `npm run docs` from the declarations of the package.', ''];
for (const [door, target] of Object.entries(exports)) {
  if (typeof target === 'string') continue;
  const name = `millpond${door.slice(1)}`;
  const page = `${name.replace('/', '-')}.md`;
  const entries = readDoor(new URL(target.types, ROOT));
  writeFileSync(new URL(page, FOLDER), toMarkdown(name, entries));
  lines.push(`- [\`${name}\`](${page}): ${entries.map((entry) => entry.name).join(', ')}`);
}
writeFileSync(new URL('README.md', FOLDER), `${lines.join('\n')}\n`);
console.log(`The reference is in ${fileURLToPath(FOLDER)}`);
