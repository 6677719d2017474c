import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs `work` in the async context of this module's loading: no request's, no transaction's. Workers, sockets
 * and timers made during a request would otherwise keep that request's context for as long as they live, and
 * give it to every later one: https://nodejs.org/api/async_context.html#troubleshooting-context-loss
 */
export const runInRootContext: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
