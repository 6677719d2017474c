import { describe, expect, it } from 'vitest';
import { expandVariables } from './expand-variables.ts';

const variables = new Map(
  Object.entries({ HOST: 'db', EMPTY: '', NESTED: '${HOST}' }).map(([name, value]) => [
    name,
    { value, source: 'environment' },
  ]),
);
const expand = (text: string): unknown => expandVariables(text, variables);

describe('variables in YAML', () => {
  it.each([
    ['plain', 'plain'],
    ['$HOST and $$', '$HOST and $$'],
    ['${HOST}', 'db'],
    ['postgres://${HOST}/${HOST}', 'postgres://db/db'],
    ['${HOST:-other}', 'db'],
    ['${MISSING:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY}', ''],
    ['${MISSING:-}', ''],
    ['${NESTED}', '${HOST}'],
  ])('puts %s as %s', (text, value) => {
    expect(expand(text)).toEqual({ value });
  });

  it('names every variable that is missing', () => {
    const fault = 'needs variables that are not set: NO_A, NO_B; set them, or write ${NO_A:-default}';
    expect(expand('${NO_A}${HOST}${NO_B}')).toEqual({ fault });
  });

  it.each([['${'], ['${HOST'], ['${}'], ['${HOST-x}'], ['${1A}'], ['${HOST:-${HOST}}']])(
    'refuses %s',
    (text) => {
      expect(expand(text)).toEqual({ fault: 'holds a ${ that is neither ${NAME} nor ${NAME:-default}' });
    },
  );
});
