export { chaos, type ChaosDatabase, type ChaosFault, type ChaosOptions } from './chaos.ts';
export { databaseContract, type DatabaseContractOptions, type TestRunner } from './database-contract.ts';
export type { ContractOptions, OpenContractDatabase, OpenedDatabase } from './behaviour.ts';
export { expectAtRest } from './expect-at-rest.ts';
export { withRollback } from './with-rollback.ts';
