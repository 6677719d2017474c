/** A bar for a person who watches; nothing for anybody else. */
export interface ProgressBar {
  /** @param message replaces what stands beside the bar */
  show(done: number, message: string): void;
  end(message: string): void;
}

const SILENT: ProgressBar = { show: () => undefined, end: () => undefined };

/** @param total of what `show` counts */
export async function startProgress(isTty: boolean, total: number, message: string): Promise<ProgressBar> {
  if (!isTty || total === 0) return SILENT;
  const { progress } = await import('@clack/prompts');
  const bar = progress({ max: total });
  bar.start(message);
  let shown = 0;
  return {
    show: (done, text) => {
      bar.advance(done - shown, text);
      shown = done;
    },
    end: (text) => bar.stop(text),
  };
}

/** A question with yes or no. Where nobody can answer it is yes: the command itself was the answer. */
export async function confirm(isTty: boolean, message: string): Promise<boolean> {
  if (!isTty) return true;
  const prompts = await import('@clack/prompts');
  return (await prompts.confirm({ message, initialValue: false })) === true;
}
