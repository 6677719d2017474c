import { transform } from 'esbuild';
import { defineConfig, type Plugin, type ViteUserConfig } from 'vitest/config';

/**
 * Vitest's own transformer and Node's type stripping leave TC39 decorators as they are; esbuild lowers them.
 */
const decorators: Plugin = {
  name: 'decorators',
  enforce: 'pre',
  async transform(code, id) {
    if (!id.endsWith('.decorators.test.ts')) return undefined;
    const result = await transform(code, {
      loader: 'ts',
      target: 'es2022',
      sourcefile: id,
      sourcemap: 'inline',
    });
    return { code: result.code };
  },
};

const config: ViteUserConfig = defineConfig({
  plugins: [decorators],
  test: {
    include: ['{src,test,bench}/**/*.test.ts', 'examples/*/test/**/*.test.ts'],
    pool: 'forks',
    // One a core: many tests wait, for a disk, a server or a limit, and Vitest would leave a core to itself.
    maxWorkers: '100%',
    // For tests that hang: what a test promises about time it measures itself.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // What comes by itself comes late on a busy machine.
    expect: { poll: { timeout: 20_000 } },
    globalSetup: './test/setup/shared-servers.ts',
    coverage: {
      // Worker threads are counted too: see the comment there.
      provider: 'custom',
      customProviderModule: './test/setup/coverage.ts',
      autoAttachSubprocess: true,
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts', 'src/**/index.ts'],
      reporter: [['text', { skipFull: true }], 'lcovonly'],
      // Branches: a file that runs on both sides has some of them counted twice, once per side.
      thresholds: { lines: 85, functions: 85, statements: 85, branches: 80 },
    },
  },
});

export default config;
