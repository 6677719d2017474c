/**
 * Waits for `work`, but no longer than `timeoutMs`; the work goes on. Keeps the process alive meanwhile.
 * @throws what `work` rejects with, if it does so in time
 */
export async function waitAtMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
