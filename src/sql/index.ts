export { Sql, sql } from './sql.ts';
export { compile, describePlaceholders, type Params } from './compile.ts';
export { checkText, hasPlaceholders } from './analyse-text.ts';
export type { Dialect } from './dialect.ts';
export { isDigit, isWordStart } from './characters.ts';
export {
  pastComment,
  pastDollarQuote,
  pastEscapeString,
  pastQuoted,
  pastToken,
  pastWord,
} from './skip-token.ts';
