import { UsageError } from '../errors/index.ts';
import type { QueryDefinition, Slot, Variant } from '../sqlfile/index.ts';

/** What a caller passes: a property for each parameter, optional part and choice. */
export type QueryParams = Readonly<Record<string, unknown>>;

/** SQLite's limit: https://sqlite.org/limits.html#max_variable_number */
const MOST_ELEMENTS = 32_766;
/** Up to here the length of a list is rounded up, so that lists of many lengths share few texts. */
const MOST_ROUNDED = 16_384;
const NO_PARAMS: QueryParams = Object.freeze({});

/** Reads what the caller of one query passed. Its errors name the query and the parameter, never a value. */
export class ParamsReader {
  readonly #name: string;
  readonly #definition: QueryDefinition;
  /** Every property that means something. */
  readonly #known: ReadonlySet<string>;
  /** The properties of a query whose parameters are all plain values. */
  readonly #flat: readonly string[] | undefined;

  constructor(name: string, definition: QueryDefinition) {
    const { parameters, optionals, choices } = definition;
    this.#name = name;
    this.#definition = definition;
    this.#known = new Set([
      ...parameters.map((parameter) => parameter.name),
      ...optionals.flatMap(({ flag }) => flag ?? []),
      ...choices.map((choice) => choice.name),
    ]);
    const isFlat =
      optionals.length + choices.length === 0 &&
      parameters.every(({ isList, path }) => !isList && path.length === 0);
    this.#flat = isFlat ? parameters.map((parameter) => parameter.name) : undefined;
  }

  /** True when the query has one text, whatever its caller passes. */
  get isFlat(): boolean {
    return this.#flat !== undefined;
  }

  /** The values of a flat query, in order. @throws UsageError */
  flatValues(given: QueryParams | undefined): unknown[] {
    const names = this.#flat!;
    const params = given ?? NO_PARAMS;
    const values: unknown[] = [];
    for (let index = 0; index < names.length; index += 1) {
      const value = params[names[index]!];
      // Where the caller has none, a name such as :constructor finds the function that every object inherits.
      if (value === undefined || typeof value === 'function')
        throw this.#unbindable(params, names[index]!, value);
      values.push(value);
    }
    let count = 0;
    for (const _ in params) count += 1;
    if (count !== names.length) this.#refuseUnknown(params);
    return values;
  }

  /** Of a query that is run for each of several. @throws UsageError */
  list(given: readonly QueryParams[]): readonly QueryParams[] {
    if (Array.isArray(given)) return given as readonly QueryParams[];
    throw this.#fault('parameters are an array, with an object for each row');
  }

  /** Which text the parameters ask for. @throws UsageError */
  variant(given: QueryParams | undefined): Variant {
    const params = this.#checked(given);
    const { parameters, optionals, choices } = this.#definition;
    return {
      optionals: optionals.map(({ flag, parameters: needed }) =>
        flag === undefined
          ? needed.every((index) => this.#lookup(params, index) !== undefined)
          : this.#flag(params, flag),
      ),
      choices: choices.map(({ name, texts }) => this.#choice(params, name, texts)),
      listSizes: new Map(
        parameters.flatMap(({ isList }, index) =>
          isList ? [[index, this.#listSize(params, index)] as const] : [],
        ),
      ),
    };
  }

  /** The values of a text's placeholders. @throws UsageError */
  values(given: QueryParams | undefined, slots: readonly Slot[]): unknown[] {
    const params = given ?? NO_PARAMS;
    return slots.map(({ parameter, element }) => {
      const value = this.#lookup(params, parameter);
      if (value === undefined || typeof value === 'function') throw this.#noValue(params, parameter, value);
      if (!this.#definition.parameters[parameter]!.isList) return value;
      const list = value as readonly unknown[];
      // A list is filled up with its last element: that changes neither what is in it nor what is not.
      return element === undefined ? list.slice() : list[Math.min(element, list.length - 1)];
    });
  }

  #checked(given: QueryParams | undefined): QueryParams {
    const params = given ?? NO_PARAMS;
    if (typeof params !== 'object' || Array.isArray(params)) throw this.#fault('parameters are an object');
    this.#refuseUnknown(params);
    return params;
  }

  /** The value of a parameter, from own properties only. */
  #lookup(params: QueryParams, index: number): unknown {
    const { name, path, isOptional } = this.#definition.parameters[index]!;
    let value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (path.length > 0 && value === undefined && isOptional) return undefined;
    for (const property of path) {
      if (typeof value !== 'object' || value === null)
        throw this.#fault(`${name} is an object with ${path.join('.')}`);
      value = Object.hasOwn(value, property) ? (value as QueryParams)[property] : undefined;
    }
    return value;
  }

  #flag(params: QueryParams, flag: string): boolean {
    const value = Object.hasOwn(params, flag) ? params[flag] : undefined;
    if (value === undefined || typeof value === 'boolean') return value === true;
    throw this.#fault(`${flag} is true or false: whether that part is wanted`);
  }

  #choice(params: QueryParams, name: string, texts: ReadonlyMap<string, string>): string {
    const value = Object.hasOwn(params, name) ? params[name] : undefined;
    if (value === undefined) return texts.keys().next().value!;
    // Never part of a text, nor of the message: it may come from outside.
    if (typeof value === 'string' && texts.has(value)) return value;
    throw this.#fault(`${name} is one of ${[...texts.keys()].join(', ')}`);
  }

  #listSize(params: QueryParams, index: number): number {
    const list = this.#lookup(params, index);
    if (list === undefined) return 0;
    const { name } = this.#definition.parameters[index]!;
    if (!Array.isArray(list)) throw this.#fault(`:${name} is a list, so it needs an array`);
    // With a NULL in the list, "not in" is never true: nobody means that.
    const bad = list.findIndex((element) => element === null || element === undefined);
    if (bad !== -1) throw this.#fault(`element ${bad + 1} of :${name} is ${String(list[bad])}`);
    if (list.length > MOST_ELEMENTS) throw this.#fault(`:${name} has more than ${MOST_ELEMENTS} elements`);
    if (list.length === 0 || list.length > MOST_ROUNDED) return list.length;
    return 2 ** Math.ceil(Math.log2(list.length));
  }

  #refuseUnknown(params: QueryParams): void {
    const unknown = Object.keys(params).filter((key) => !this.#known.has(key));
    if (unknown.length === 0) return;
    const has = this.#known.size === 0 ? 'it has no parameters' : `it has ${[...this.#known].join(', ')}`;
    throw this.#fault(`there is no parameter ${unknown.slice(0, 10).map(quoted).join(', ')}: ${has}`);
  }

  #unbindable(params: QueryParams, name: string, value: unknown): UsageError {
    if (typeof params !== 'object') return this.#fault('parameters are an object');
    if (Object.hasOwn(params, name) && typeof value === 'function')
      return this.#fault(`:${name} is a function`);
    if (Object.hasOwn(params, name)) return this.#fault(`:${name} is undefined; pass null to mean no value`);
    return this.#fault(`there is no value for :${name}`);
  }

  #noValue(params: QueryParams, index: number, value: unknown): UsageError {
    const { name, path } = this.#definition.parameters[index]!;
    if (path.length === 0) return this.#unbindable(params, name, value);
    return this.#fault(`there is no value for :${[name, ...path].join('.')}`);
  }

  #fault(what: string): UsageError {
    return new UsageError(`${this.#name}(): ${what}.`);
  }
}

function quoted(key: string): string {
  return /^[\w$]{1,64}$/.test(key) ? key : JSON.stringify(key.slice(0, 64));
}
