import { availableParallelism, cpus } from 'node:os';

/** What the numbers depend on, as one line. */
export function describeMachine(engine: string): string {
  const cores = availableParallelism();
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const processor = `${cores} ${cores === 1 ? 'core' : 'cores'} (${model})`;
  return `${processor} · Node ${process.versions.node} · ${engine}`;
}
