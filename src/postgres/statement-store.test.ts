import { describe, expect, it } from 'vitest';
import { PreparedStatements } from './statement-store.ts';

describe('the prepared statements of a connection', () => {
  it('are bounded: the one not used for longest is closed', () => {
    const statements = new PreparedStatements(2, { current: 0 });
    const a = statements.add('a');
    statements.add('b');
    statements.get('a');
    statements.add('c');
    expect(statements.get('b')).toBeUndefined();
    expect(statements.get('a')).toBe(a);
    expect(statements.takeClosed()).toEqual(['millpond_2']);
    expect(statements.takeClosed()).toEqual([]);
  });

  it('are prepared again under another name when the schema has changed', () => {
    const schema = { current: 0 };
    const statements = new PreparedStatements(5, schema);
    const old = statements.add('a');
    schema.current += 1;
    expect(statements.get('a')).toBeUndefined();
    expect(statements.takeClosed()).toEqual([old.name]);
    expect(statements.add('a').name).not.toBe(old.name);
  });

  it('are forgotten when the server has forgotten them', () => {
    const statements = new PreparedStatements(5, { current: 0 });
    statements.drop(statements.add('a'));
    statements.add('b');
    statements.forgetAll();
    expect([statements.get('b'), statements.takeClosed()]).toEqual([undefined, []]);
  });
});
