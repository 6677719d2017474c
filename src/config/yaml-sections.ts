import { expandVariables } from './expand-variables.ts';
import type { FileContents, FileRequest } from './file-request.ts';
import { EMPTY_LAYER, type Layer } from './layer.ts';
import type { Problems } from './problems.ts';
import type { Dialect } from './text-names.ts';
import { unknownKey } from './unknown-key.ts';
import type { YamlEntry } from './yaml-file.ts';
import { checkSectionKeys, readSection } from './yaml-section.ts';

const ENGINES: readonly Dialect[] = ['sqlite', 'postgres'];
const MAIN = 'main';

/**
 * Finds the section of one database: `database` for 'main', or its name under `databases`. Keys are checked
 * in every section; values only in the one that is used, because another may need variables that are not set
 * here.
 */
export function readYamlEntries(entries: readonly YamlEntry[], request: FileRequest): FileContents {
  const sections = sectionsOf(entries, request.problems);
  const engines = new Map<string, ReadonlyMap<string, YamlEntry>>();
  for (const [name, section] of sections) engines.set(name, checkDatabase(section, request.problems));
  const used = engines.get(request.name);
  const layer = used === undefined ? EMPTY_LAYER : readDatabase(sections.get(request.name)!, used, request);
  return { layer, names: [...sections.keys()] };
}

/** The sections by database. */
function sectionsOf(entries: readonly YamlEntry[], problems: Problems): Map<string, YamlEntry> {
  const sections = new Map<string, YamlEntry>();
  const add = (name: string, entry: YamlEntry): void => {
    const earlier = sections.get(name);
    if (earlier === undefined) sections.set(name, entry);
    else problems.add(entry, `is there twice; the other is ${earlier.key} (${earlier.source})`);
  };
  for (const entry of entries) {
    if (entry.name === 'database') add(MAIN, entry);
    else if (entry.name === 'databases')
      for (const section of childrenOf(entry, problems)) add(section.name, section);
    else problems.add(entry, messageForTopKey(entry.name));
  }
  return sections;
}

function messageForTopKey(name: string): string {
  if (!['development', 'production', 'test'].includes(name))
    return unknownKey(name, ['database', 'databases'], 'a section');
  return 'is no section: the file is one for every environment; write ${NAME:-default} where a value differs';
}

/** Checks the keys of a database's section. @returns its keys by name. */
function checkDatabase(section: YamlEntry, problems: Problems): ReadonlyMap<string, YamlEntry> {
  const known = ['engine', ...ENGINES];
  const entries = new Map<string, YamlEntry>();
  for (const entry of childrenOf(section, problems)) {
    if (known.includes(entry.name)) entries.set(entry.name, entry);
    else problems.add(entry, unknownKey(entry.name, known, 'an engine'));
  }
  for (const engine of ENGINES) {
    const entry = entries.get(engine);
    if (entry !== undefined) checkSectionKeys(childrenOf(entry, problems), engine, problems);
  }
  return entries;
}

function readDatabase(
  section: YamlEntry,
  entries: ReadonlyMap<string, YamlEntry>,
  request: FileRequest,
): Layer {
  const engine = chooseEngine(section, entries, request);
  const used = engine === undefined ? undefined : entries.get(engine);
  if (used?.value.kind !== 'map') return EMPTY_LAYER;
  return readSection({ entries: used.value.entries, origin: used, engine: engine! }, request);
}

function chooseEngine(
  section: YamlEntry,
  entries: ReadonlyMap<string, YamlEntry>,
  { dialect, variables, problems }: FileRequest,
): Dialect | undefined {
  if (dialect !== undefined) return dialect;
  const there = ENGINES.filter((engine) => entries.has(engine));
  const engine = entries.get('engine');
  if (engine === undefined) {
    if (there.length > 1)
      problems.add(section, 'has sqlite and postgres; choose with engine: sqlite or engine: postgres');
    return there.length === 1 ? there[0] : undefined;
  }
  const text =
    engine.value.kind === 'text' ? expandVariables(engine.value.text, variables) : { fault: 'is no word' };
  const chosen = 'value' in text ? there.find((one) => one === text.value) : undefined;
  if (chosen === undefined) {
    const fault = 'fault' in text ? text.fault : 'names no engine that this section has';
    problems.add(
      engine,
      `${fault}; allowed: ${there.join(' or ') || 'nothing, while there is no section sqlite or postgres'}`,
    );
  }
  return chosen;
}

function childrenOf(entry: YamlEntry, problems: Problems): readonly YamlEntry[] {
  if (entry.value.kind === 'map') return entry.value.entries;
  problems.add(entry, 'is a value; allowed: keys below it');
  return [];
}
