import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { defaultsFor } from './defaults.ts';
import { ADDRESS_VARIABLES, OPTION_VARIABLES } from './environment.ts';
import { resolveDatabaseConfig } from './resolve.ts';
import { RULES, type OptionName } from './schema.ts';
import { TEXT_NAMES } from './text-names.ts';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** The cells of the row about an option: option, what it is, range, default, variable, YAML names. */
const rows = new Map<string, string[]>();
for (const [line, option] of page.matchAll(/^\| `([\w.]+)` \|.*$/gm)) {
  rows.set(option!, line.split('|').slice(1, -1));
}
const codeIn = (cell: string | undefined): string[] =>
  [...(cell ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

describe('docs/configuration.md', () => {
  it('has a row for every option and for no other', () => {
    const options = [...rows.keys()].filter((name) => !ADDRESS_VARIABLES.includes(name));
    expect(options.toSorted()).toEqual(Object.keys(RULES).toSorted());
  });

  it.each(Object.entries(RULES))('tells the range of %s', (option, { allowed }) => {
    const numbers = allowed.match(/\d[\d,.]*\d|\d/g) ?? [];
    const words = [...allowed.matchAll(/"(\w+)"/g)].map((match) => match[1]!);
    const range = rows.get(option)?.[2] ?? '';
    const isText = RULES[option as OptionName].kind === 'text';
    for (const part of isText ? [] : [...numbers, ...words]) expect(range).toContain(part);
  });

  it.each(Object.keys(RULES))('tells the default of %s', (option) => {
    for (const dialect of ['sqlite', 'postgres'] as const) {
      for (const production of [false, true]) {
        const defaults = defaultsFor({ dialect, production, cores: 4, inMemory: false });
        const value: unknown = defaults[option as OptionName] ?? 'none';
        const shown = typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
        expect(rows.get(option)?.[3]).toContain(shown);
      }
    }
  });

  it.each(Object.keys(RULES))('tells the variable and the YAML names of %s', (option) => {
    const cells = rows.get(option);
    const variables = Object.entries(OPTION_VARIABLES).filter(([, name]) => name.option === option);
    const names = [...TEXT_NAMES.sqlite].filter(([, name]) => name.option === option);
    expect(codeIn(cells?.[4])).toEqual(variables.map(([name]) => name));
    expect(codeIn(cells?.[5]).toSorted()).toEqual(names.map(([name]) => name).toSorted());
  });

  it('shows a YAML file that works', async () => {
    const [, yaml] = /```yaml\n(.*?)```/s.exec(page)!;
    const cwd = await folderWith({ 'config/database.yaml': yaml! });
    const read = async (env: NodeJS.ProcessEnv, name?: string): Promise<unknown> =>
      resolveDatabaseConfig({ given: { name }, env, cwd });
    expect(await read({})).toMatchObject({ dialect: 'sqlite', pool: { max: 4, acquireTimeoutMs: 30_000 } });
    const env = { DB_ENGINE: 'postgres', PG_PASSWORD: '@:/' };
    expect(await read(env)).toMatchObject({
      primary: { host: 'db.example', database: 'main' },
      pool: { max: 20 },
    });
    expect(await read({}, 'analytics')).toMatchObject({ readOnly: true });
  });

  it('shows an error as it really is', async () => {
    const [, shown] = /```\n(The configuration.*?)\n```/s.exec(page)!;
    const cwd = await folderWith({
      '.env.local': 'TRANSACTION_TIMEOUT=30000',
      'config/database.yaml': '# ours\n\ndatabase:\n  sqlite:\n    path: app.db\n    journal_mode: memory\n',
    });
    const given = JSON.parse('{"pool":{"maxx":5}}') as object;
    const resolving = resolveDatabaseConfig({ given, env: { DB_POOL_MAX: '0' }, cwd });
    await expect(resolving).rejects.toThrow(shown);
  });
});
