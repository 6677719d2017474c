/** `millpond/cache` */
export { createCache } from '../../../../src/cache/index.ts';
export type { Cache, CacheStats } from '../../../../src/cache/index.ts';
