/** The load generator: a process of its own, so that its work does not delay the server's event loop. */
import process from 'node:process';
import type { Report, Task } from './protocol.ts';
import { runBurst } from './run-burst.ts';
import { runLoad } from './run-load.ts';

// A terminal sends Ctrl-C to both processes. This one ends when the server's side lets go of it.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit());
process.on('message', (task: Task) => void run(task));

async function run(task: Task): Promise<void> {
  try {
    tell(task.kind === 'burst' ? await runBurst(task) : await runLoad(task, tell));
  } catch (error) {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

function tell(report: Report): void {
  process.send?.(report, undefined, undefined, (error) => {
    if (error !== null) process.exit(1);
  });
}
