import v8 from '@vitest/coverage-v8';
import { V8CoverageProvider } from '@vitest/coverage-v8/dist/provider.js';
import type { CoverageProviderModule } from 'vitest/node';

type Callbacks = Parameters<V8CoverageProvider['readCoverageFiles']>[0];

/** What one test file's process wrote down. */
interface Counts {
  readonly result: { readonly isExtendedContext?: boolean }[];
}

/**
 * V8 counts per thread, so by itself vitest sees nothing of what runs in worker threads and child processes:
 * half of the SQLite engine. Its option `autoAttachSubprocess` collects those counts too. But then vitest
 * 5.1.0 adds up both kinds by file name and offset, although the test's thread ran Vite's output and a worker
 * the source itself, and a file loaded by both seems to lose lines. Here the two kinds are converted one
 * after the other, each with the text that it ran, and only then added, line by line.
 */
class ThreadAwareCoverage extends V8CoverageProvider {
  override async readCoverageFiles(callbacks: Callbacks): Promise<void> {
    for (const ranInOtherThread of [false, true]) {
      const onFileRead = (counts: unknown): void => {
        const result = (counts as Counts).result.filter(
          (script) => (script.isExtendedContext ?? false) === ranInOtherThread,
        );
        callbacks.onFileRead({ result });
      };
      await super.readCoverageFiles({ ...callbacks, onFileRead });
    }
  }
}

const coverage: CoverageProviderModule = { ...v8, getProvider: () => new ThreadAwareCoverage() };

export default coverage;
