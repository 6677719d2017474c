/** Wraps a function, or decorates a method. */
export type PerformanceTracker = <This, Parameters extends unknown[], Result>(
  work: (this: This, ...parameters: Parameters) => Result,
  context?: { readonly name: string | symbol },
) => (this: This, ...parameters: Parameters) => Result;

/** Calls `ended` once: when `work` has returned, or when the promise it returned has settled. */
export function settling<Result>(work: () => Result, ended: (failed: boolean) => void): Result {
  let result: Result;
  try {
    result = work();
  } catch (error) {
    ended(true);
    throw error;
  }
  if (!(result instanceof Promise)) {
    ended(false);
    return result;
  }
  // The caller keeps its own promise: measuring does not change how it handles a rejection.
  result.then(
    () => ended(false),
    () => ended(true),
  );
  return result;
}
