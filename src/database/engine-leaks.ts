import type { Announcer, EventMap } from '../events/index.ts';

/**
 * The announcer of an engine's pools. A lease that the engine itself holds, for all callers together, is busy
 * and not leaked: its leak reports are left out.
 */
export function withoutEngineLeaks(
  announce: Announcer,
  holders: Readonly<Record<string, string>>,
): Announcer {
  const engine = new Set(Object.values(holders));
  return {
    has: (name) => announce.has(name),
    emit: (name, event) => {
      const isLeak = name === 'pool:leak' || name === 'pool:leak-returned';
      if (isLeak && engine.has((event as EventMap['pool:leak']).holder)) return;
      announce.emit(name, event);
    },
  };
}
