export {
  compat,
  type CompatDatabase,
  type CompatTransaction,
  type PragmaOptions,
} from './compat-database.ts';
export type { CompatRunResult, CompatStatement } from './compat-statement.ts';
