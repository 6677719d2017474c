import { readFileSync } from 'node:fs';

/** Something that a door exports. */
export interface Entry {
  readonly name: string;
  /** The text of its comment, without stars. */
  readonly comment: string;
  /** Its declarations; several where a function has overloads. */
  readonly declarations: readonly string[];
}

interface Declaration {
  readonly comment: string;
  readonly text: string;
}

const REEXPORT = /^export\s+(?:type\s+)?\{([^}]*)\}\s+from\s+['"]([^'"]+)['"];?$/;
const NAMED = /^export (?:declare )?(?:abstract )?(?:function|class|interface|type|const|let) (\w+)/;
/** What begins at the first column and belongs to nothing before it. */
const BEGINNING = /^(?:export|import|declare|interface|type|class|const|function|abstract|\/\*\*)/;

/**
 * What a declaration file exports, in the order of its lines, followed to where it is declared.
 * @throws where a name leads nowhere: then this reading of the compiler's output is out of date
 */
export function readDoor(file: URL): Entry[] {
  return chunksOf(file).flatMap(({ comment, text }) => {
    const reexport = REEXPORT.exec(text.replaceAll('\n', ' '));
    if (reexport === null) {
      const [, name] = NAMED.exec(text) ?? [];
      return name === undefined ? [] : [{ name, comment, declarations: [plain(text)] }];
    }
    const [, names, specifier] = reexport;
    return names!
      .split(',')
      .map((part) => part.trim().replace(/^type /, ''))
      .filter((part) => part !== '')
      .map((part) => followed(part, new URL(specifier!.replace(/\.(?:ts|js)$/, '.d.ts'), file)));
  });
}

export function toMarkdown(door: string, entries: readonly Entry[]): string {
  const sections = entries.map(
    ({ name, comment, declarations }) =>
      `## ${name}\n\n${comment === '' ? '' : `${comment}\n\n`}\`\`\`ts\n${declarations.join('\n')}\n\`\`\`\n`,
  );
  return [`# ${door}\n`, ...sections].join('\n');
}

function followed(part: string, file: URL): Entry {
  const [original = '', renamed = original] = part.split(' as ');
  const found = readDoor(file).filter(({ name }) => name === original);
  if (found.length === 0) throw new Error(`${file.href} does not declare ${original}`);
  return {
    name: renamed,
    comment: found.find(({ comment }) => comment !== '')?.comment ?? '',
    declarations: found.flatMap(({ declarations }) =>
      declarations.map((text) => text.replace(new RegExp(`\\b${original}\\b`), renamed)),
    ),
  };
}

/** The file's comments and declarations of the first column, each comment with what follows it. */
function chunksOf(file: URL): Declaration[] {
  const chunks: string[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (BEGINNING.test(line) || chunks.length === 0) chunks.push(line);
    else chunks[chunks.length - 1] += `\n${line}`;
  }
  const declarations: Declaration[] = [];
  let comment = '';
  for (const chunk of chunks.map((text) => text.trim())) {
    if (chunk.startsWith('/**')) comment = withoutStars(chunk);
    else {
      declarations.push({ comment, text: chunk });
      comment = '';
    }
  }
  return declarations;
}

function withoutStars(comment: string): string {
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n');
  return lines
    .map((line) => line.replace(/^\s*\* ?/, '').trim())
    .join('\n')
    .trim();
}

/** As one would write it: no word of the emitter's, no private member. */
function plain(declaration: string): string {
  return declaration
    .replace(/^export (?:declare )?/, '')
    .split('\n')
    .filter((line) => !/^\s*(?:#private;|private )/.test(line) && !line.startsWith('//# sourceMapping'))
    .join('\n');
}
