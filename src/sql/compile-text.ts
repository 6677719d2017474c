import { UsageError } from '../errors/index.ts';
import { analyseText, type AnalysedText } from './analyse-text.ts';
import { checkCount, isBindable, unbindable } from './check-value.ts';
import type { CompiledSql, Params } from './compile.ts';
import { classOf, kindOf, listNames } from './describe.ts';
import type { Dialect } from './dialect.ts';
import { Sql } from './sql.ts';

const NO_VALUES: readonly unknown[] = Object.freeze([]);

/** A text and its parameters: an array for `?` and `$1`, an object for `:name`. */
export function compileText(text: string, params: Params | undefined, dialect: Dialect): CompiledSql {
  const analysed = analyseText(text, dialect);
  if (params === undefined) {
    checkPositional(analysed, undefined, dialect);
    return { text, params: NO_VALUES };
  }
  if (Array.isArray(params)) {
    checkPositional(analysed, params, dialect);
    // Copied: the statement may wait for a connection, and the caller may use its array again meanwhile.
    return { text, params: params.slice() };
  }
  checkNamed(analysed, params);
  return { text: analysed.numbered, params: valuesOf(analysed.names, params as Record<string, unknown>) };
}

function checkPositional(
  analysed: AnalysedText,
  params: readonly unknown[] | undefined,
  dialect: Dialect,
): void {
  const { names, positions } = analysed;
  if (analysed.foreign !== undefined) throw foreignPlaceholder(analysed.foreign);
  // On PostgreSQL a text with $1 may have the bounds of an array slice in it: days[:last].
  if (names.length > 0 && (positions === 0 || dialect === 'sqlite')) {
    throw namesWithoutObject(names, params, dialect);
  }
  const count = params === undefined ? 0 : params.length;
  // node:sqlite binds NULL where a value is missing. PostgreSQL does its own counting, and fewer may be right
  // there: a $1 in the body of a function is the function's.
  if (dialect === 'sqlite' ? count !== positions : count > positions) {
    throw wrongCount(positions, count, dialect);
  }
  if (params === undefined) return;
  checkCount(count);
  for (let index = 0; index < count; index += 1) {
    if (!isBindable(params[index])) throw unbindable(`Parameter ${index + 1}`, params[index]);
  }
}

function checkNamed(analysed: AnalysedText, params: unknown): void {
  if (typeof params !== 'object' || params === null || params instanceof Sql) {
    const kind = params instanceof Sql ? 'an sql fragment' : kindOf(params);
    throw new UsageError(
      `Parameters are an array, or an object with a property for each :name, not ${kind}.`,
    );
  }
  if (analysed.foreign !== undefined) throw foreignPlaceholder(analysed.foreign);
  if (analysed.positions > 0) throw objectForPositions(analysed.names);
  // A Date or a Map has no property to be missed when the text has no name.
  if (analysed.names.length === 0 && classOf(params) !== 'Object') throw notRecord(params);
}

function valuesOf(names: readonly string[], params: Record<string, unknown>): unknown[] {
  checkCount(names.length);
  const values: unknown[] = [];
  for (const name of names) {
    // Own properties only: `:constructor` must not find what every object inherits.
    if (!Object.hasOwn(params, name)) throw misfit(names, params);
    const value = params[name];
    if (!isBindable(value)) throw unbindable(`Parameter :${listNames([name])}`, value);
    values.push(value);
  }
  let given = 0;
  for (const _ in params) given += 1;
  if (given !== names.length) checkUnused(names, params);
  return values;
}

function checkUnused(names: readonly string[], params: object): void {
  if (Object.keys(params).length > names.length) throw misfit(names, params);
}

/** Names both sides at once: a misspelt name is missing under one spelling and unused under the other. */
function misfit(names: readonly string[], params: object): UsageError {
  if (classOf(params) !== 'Object') return notRecord(params);
  const known = new Set(names);
  const missing = names.filter((name) => !Object.hasOwn(params, name));
  const unused = Object.keys(params).filter((name) => !known.has(name));
  const faults = [
    missing.length > 0 ? `no value for ${listNames(missing, ':')}` : '',
    unused.length > 0 ? `no placeholder for ${listNames(unused)}` : '',
  ];
  return new UsageError(
    `The parameters do not fit the text: ${faults.filter((fault) => fault !== '').join('; ')}.`,
  );
}

function notRecord(params: object): UsageError {
  return new UsageError(`Parameters are an array or a plain object, not ${kindOf(params)}.`);
}

function namesWithoutObject(names: readonly string[], params: unknown, dialect: Dialect): UsageError {
  const hint = dialect === 'postgres' ? ' (In an array slice, put a blank behind the colon.)' : '';
  const listed = listNames(names, ':');
  const fault =
    params === undefined ? `${listed} has no value` : `The text has ${listed} and no array can fill it`;
  return new UsageError(
    `${fault}: give an object with a property for each name, and name every placeholder.${hint}`,
  );
}

function objectForPositions(names: readonly string[]): UsageError {
  const mixed = names.length > 0 ? ` beside ${listNames(names, ':')}` : '';
  return new UsageError(
    `The text has positional placeholders${mixed}, which no object fills: name them all, or give an array.`,
  );
}

function wrongCount(positions: number, count: number, dialect: Dialect): UsageError {
  const hint =
    dialect === 'postgres' ? ' On PostgreSQL placeholders are $1, $2, or :name; a ? is an operator.' : '';
  const wanted = `${positions} ${positions === 1 ? 'value' : 'values'}`;
  const given = `${count} ${count === 1 ? 'was' : 'were'} given`;
  return new UsageError(`The text asks for ${wanted}, and ${given}.${hint}`);
}

function foreignPlaceholder(written: string): UsageError {
  const placeholder = listNames([written.slice(1)], written[0]);
  return new UsageError(
    `The placeholder ${placeholder} would be filled in an order of SQLite's own: use :name or ?.`,
  );
}
