import { SingleBar } from 'cli-progress';
import { paint } from './paint.ts';

/** One piece of work that is under way. */
export interface Progress {
  update(done: number, detail: string): void;
  /** Takes the live line away and leaves `summary` in its place. */
  finish(summary: string): void;
  /** Takes the live line away. */
  clear(): void;
}

/** A live bar on a terminal; elsewhere nothing but the summary, as one plain line. */
export function startProgress(label: string, total: number): Progress {
  const bar = process.stdout.isTTY ? startBar(label, total) : undefined;
  const clear = (): void => bar?.stop();
  return {
    update: (done, detail) => bar?.update(Math.min(done, total), { label, detail }),
    finish: (summary) => {
      clear();
      console.log(`  ${paint('green', '✓')} ${summary}`);
    },
    clear,
  };
}

function startBar(label: string, total: number): SingleBar {
  const bar = new SingleBar({
    stream: process.stdout,
    format: `  {bar} {label} ${paint('dim', '{detail}')}`,
    barsize: 24,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    fps: 10,
    clearOnComplete: true,
    hideCursor: false,
    // It would end the process at Ctrl-C, before the service is closed.
    gracefulExit: false,
  });
  bar.start(total, 0, { label, detail: '' });
  return bar;
}
