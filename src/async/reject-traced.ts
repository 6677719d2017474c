/**
 * Rejects the promise behind `resolve` with an error whose stack names the functions that await it. An error
 * made where an answer arrives knows the message handler and nothing of who asked; V8 adds the awaiting
 * functions to a stack that is captured in a reaction of what they wait for
 * (https://v8.dev/docs/stack-trace-api#async-stack-traces). Only what fails pays, a few microseconds.
 *
 * @param tell called when the stack is complete, before the promise rejects
 */
export function rejectTraced(
  resolve: (rejection: Promise<never>) => void,
  error: Error,
  tell: () => void,
): void {
  const gate = Promise.withResolvers<never>();
  resolve(
    gate.promise.catch(function trace() {
      Error.captureStackTrace(error, trace);
      tell();
      throw error;
    }),
  );
  // Not at once: the awaiting promise follows the reaction only from the next microtask on.
  queueMicrotask(() => gate.reject(error));
}
