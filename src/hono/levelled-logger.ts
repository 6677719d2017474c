import type { Logger } from '../config/index.ts';
import type { LeveledLogger } from '../database/index.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const nothing = (): void => undefined;

/** A logger that writes nothing below its level. */
export function levelled(target: LeveledLogger | undefined): Logger {
  const least = target === undefined ? LEVELS.length : LEVELS.indexOf(target.level);
  const write = (level: (typeof LEVELS)[number]): Logger['info'] => {
    if (target === undefined || LEVELS.indexOf(level) < least) return nothing;
    return (fields, message) => target.logger[level](fields, message);
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
