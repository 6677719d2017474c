export { MillpondDialect } from './millpond-dialect.ts';
