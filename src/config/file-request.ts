import type { Variables } from './dotenv.ts';
import type { Layer } from './layer.ts';
import type { Problems } from './problems.ts';
import type { Dialect } from './text-names.ts';

/** What is asked of a configuration file. */
export interface FileRequest {
  /** The database: `main`, `analytics`. */
  readonly name: string;
  /** The engine, where an address in code or environment has decided it. */
  readonly dialect: Dialect | undefined;
  readonly variables: Variables;
  readonly problems: Problems;
}

/** What a configuration file says about one database, and which it knows. */
export interface FileContents {
  readonly layer: Layer;
  readonly names: readonly string[];
}
