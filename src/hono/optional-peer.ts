import { createRequire } from 'node:module';
import { UsageError } from '../errors/index.ts';

const require = createRequire(import.meta.url);

/**
 * A package that is installed only by those who use the feature that needs it. Loaded at once, so that what
 * is missing is noticed when the service starts. @throws UsageError naming the package
 */
export function loadPeer<Module>(name: string, neededBy: string): Module {
  try {
    return require(name) as Module;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND';
    if (!isMissing) throw cause;
    throw new UsageError(`${neededBy} needs the package ${name}: npm install ${name}`, { cause });
  }
}
