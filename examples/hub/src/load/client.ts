/** The load generator: a process of its own, so that its work does not delay the server's event loop. */
import process from 'node:process';
import type { Report, Result, Task } from './protocol.ts';
import { runBurst } from './run-burst.ts';
import { runLoad } from './run-load.ts';
import { runCalls, runMix } from './run-mix.ts';

// A terminal sends Ctrl-C to both processes. This one ends when the server's side lets go of it.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (task: Task) => void run(task));

async function run(task: Task): Promise<void> {
  try {
    tell(await perform(task));
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function perform(task: Task): Promise<Result> {
  switch (task.kind) {
    case 'burst':
      return runBurst(task);
    case 'load':
      return runLoad(task, tell);
    case 'mix':
      return runMix(task);
    case 'calls':
      return runCalls(task);
  }
}

function tell(report: Report): void {
  process.send?.(report, undefined, undefined, (error) => {
    if (error !== null) process.exit(1);
  });
}
