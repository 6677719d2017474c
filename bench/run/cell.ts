import { fork } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { Metrics } from '../harness/meter.ts';
import type { PeerName, Synchronous } from '../peers/index.ts';

/** What any cell's process is told. */
export interface Task {
  /** A work's name, or 'inspect': open the peer and say what it is and how it is set. */
  readonly work: string;
  readonly peer: PeerName;
  readonly step: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** What the process of a cell on a file is told. */
export interface CellTask extends Task {
  readonly file: string;
  readonly synchronous: Synchronous;
  readonly scanRows: number;
}

/** For a cell's program: sends what `work` answers, or how it failed. */
export async function answerWith(work: () => Promise<CellAnswer>): Promise<void> {
  const answer = await work().catch((error: unknown): CellAnswer => ({
    kind: 'failure',
    message: error instanceof Error ? error.stack! : String(error),
  }));
  process.send!(answer, () => process.disconnect());
}

export interface CellProcess {
  /** The program, which answers the task that is its first argument. */
  readonly program: URL;
  readonly environment: NodeJS.ProcessEnv;
  readonly directory: string;
}

/** What it answers. */
export type CellAnswer =
  | { readonly kind: 'metrics'; readonly metrics: Metrics }
  | { readonly kind: 'inspection'; readonly settings: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failure'; readonly message: string };

const LIMIT_MS = 180_000;
const EXIT_LIMIT_MS = 5_000;

/** Runs one cell in a process of its own: no peer inherits another's heap, compiled code, threads or memory. */
export async function runCell<Told extends Task>(
  task: Told,
  { program, environment, directory }: CellProcess,
): Promise<CellAnswer> {
  const child = fork(program, [JSON.stringify(task)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: environment,
    cwd: directory,
  });
  const complaints = text(child.stderr!);
  const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  let exitLimit: NodeJS.Timeout | undefined;
  let answer: CellAnswer | undefined;
  child.once('message', (message) => {
    answer = message as CellAnswer;
    exitLimit = setTimeout(() => child.kill('SIGKILL'), EXIT_LIMIT_MS);
  });
  const signal = await new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (_code, by) => resolve(by));
  }).finally(() => {
    clearTimeout(limit);
    clearTimeout(exitLimit);
  });
  if (answer?.kind === 'failure') return answer;
  if (signal === 'SIGKILL')
    return failure(answer === undefined ? 'took too long' : 'left something running at its end');
  return answer ?? failure(`died: ${lastLines(await complaints)}`);
}

function failure(message: string): CellAnswer {
  return { kind: 'failure', message };
}

function lastLines(complaints: string): string {
  return complaints.trim().split('\n').slice(-8).join('\n') || 'without a word';
}
