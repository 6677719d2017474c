import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { folderWith } from '../../test/fixtures/folder-with.ts';
import { loadVariables } from './dotenv.ts';
import { Problems } from './problems.ts';

it('P19 puts the environment over .env.local over .env, and changes no process.env', async () => {
  const folder = await folderWith({
    '.env': '# for everybody\nA=env\nB=env\nC=env\n',
    '.env.local': '\uFEFFA=local\nB="local # not a comment"\r\n',
  });
  const problems = new Problems();
  const variables = await loadVariables({ A: 'real', UNSET: undefined }, folder, problems);
  expect(Object.fromEntries(variables)).toEqual({
    A: { value: 'real', source: 'environment' },
    B: { value: 'local # not a comment', source: '.env.local' },
    C: { value: 'env', source: '.env' },
  });
  expect(process.env).not.toHaveProperty('C');
  problems.throwIfAny();
});

it('does without the files', async () => {
  const problems = new Problems();
  expect((await loadVariables({}, await folderWith(), problems)).size).toBe(0);
  problems.throwIfAny();
});

it('C57 reports a .env that cannot be read, and why', async () => {
  const folder = await folderWith();
  await symlink('.env', join(folder, '.env'));
  const problems = new Problems();
  await loadVariables({}, folder, problems);
  expect(() => problems.throwIfAny()).toThrow('.env (.env): cannot be read (ELOOP)');
});

it('C57 reports a .env that is a folder, or larger than any .env', async () => {
  const folder = await folderWith({ '.env.local': `A=${'x'.repeat(1_048_576)}` });
  await mkdir(join(folder, '.env'));
  const problems = new Problems();
  await loadVariables({}, folder, problems);
  expect(() => problems.throwIfAny()).toThrow(
    /\.env \(\.env\): is not a file\n.*\.env\.local \(\.env\.local\): is larger than 1 MiB/,
  );
});
