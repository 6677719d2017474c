/** setTimeout fires at once above this: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_MS = 2_147_483_647;

/**
 * Waits for `work`, but no longer than `timeoutMs`; the work goes on. Keeps the process alive meanwhile.
 * @throws what `work` rejects with, if it does so in time
 */
export async function waitAtMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limitMs = Math.min(timeoutMs, LONGEST_MS);
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, limitMs)));
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
}
