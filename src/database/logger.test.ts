import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createLogger, toFields } from './logger.ts';

const nowhere = { write: () => undefined };
const plain = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('the logger of a database', () => {
  test('is absent where nothing is to be written', () => {
    expect(createLogger('silent')).toBeUndefined();
  });

  test('is ours with a level, one for all databases of the process', () => {
    const warn = createLogger('warn')!;
    const debug = createLogger('debug')!;
    expect([warn.level, debug.level]).toEqual(['warn', 'debug']);
    expect(warn.logger).toBe(debug.logger);
  });

  test.each(['debug', 'info', 'warn', 'error'])('writes what a given pino-like one writes: %s', (level) => {
    const logger = pino({ level }, nowhere);
    expect(createLogger(logger)).toEqual({ logger, level });
  });

  test('writes the message of an error once, with its cause in the stack', () => {
    const cause = new Error('no such table');
    const fields = toFields(Object.assign(new Error('no such table: users', { cause }), { code: 'ERR_X' }));
    expect(fields).toMatchObject({ type: 'Error', message: 'no such table: users', code: 'ERR_X' });
    expect(fields['stack']).toMatch(/^Error: no such table: users\n[^]*caused by: Error: no such table/);
  });

  test('is asked for nothing below errors by one that writes less', () => {
    expect(createLogger(pino({ level: 'fatal' }, nowhere))?.level).toBe('error');
  });

  test('gets everything where a given one does not say', () => {
    expect(createLogger(plain)).toEqual({ logger: plain, level: 'debug' });
  });
});
