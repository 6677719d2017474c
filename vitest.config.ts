import { transform } from 'esbuild';
import { defineConfig, type Plugin } from 'vitest/config';

/** Vitest's own transformer and Node's type stripping leave TC39 decorators as they are; esbuild lowers them. */
const decorators: Plugin = {
  name: 'decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!id.endsWith('.decorators.test.ts')) return undefined;
    const result = await transform(code, { loader: 'ts', target: 'es2022', sourcefile: id, sourcemap: 'inline' });
    return { code: result.code };
  },
};

export default defineConfig({
  plugins: [decorators],
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
