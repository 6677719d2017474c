/**
 * The worker's file, beside this one: `.ts` when Node runs the source itself, `.js` in the published package.
 */
export const workerUrl: URL = new URL(
  import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js',
  import.meta.url,
);
