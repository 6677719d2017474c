import { and, type SQL, type Table } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { CallOptions } from '../driver/index.ts';
import { UsageError } from '../errors/index.ts';
import {
  columnOf,
  conditionOf,
  deletedCondition,
  keyCondition,
  keyPlaceholders,
  keyValues,
  liveCondition,
  requiredConditionOf,
} from './conditions.ts';
import type { PostgresDrizzle } from './postgres-drizzle.ts';
import type {
  DeleteOptions,
  FindAllOptions,
  FindOptions,
  IdOf,
  KeysetPage,
  KeysetPageOptions,
  NewRowOf,
  OffsetPage,
  OffsetPageOptions,
  PatchOf,
  ReadOptions,
  RowOf,
  UpsertOptions,
  Where,
  WithTotal,
} from './row-types.ts';
import { readPage } from './read-page.ts';
import { changesOf, renewals } from './row-changes.ts';
import { orderOf } from './keyset.ts';
import type { SqliteDrizzle } from './sqlite-drizzle.ts';
import type { StoredRow, TableStore } from './table-store.ts';
import { VersionConflictError } from './version-conflict-error.ts';

/**
 * The rows of one table. An instance is made once and used everywhere: each call joins the transaction of the
 * flow that makes it. Rows marked by `softDelete()` are left out unless `withDeleted` is set.
 */
export class TableRepository<T extends Table, K extends string> {
  readonly #store: TableStore;

  constructor(store: TableStore) {
    this.#store = store;
  }

  /** Drizzle, for queries of your own: it runs where the repository does. */
  get drizzle(): T extends PgTable ? PostgresDrizzle : SqliteDrizzle {
    return this.#store.drizzle() as T extends PgTable ? PostgresDrizzle : SqliteDrizzle;
  }

  async findAll(options: FindAllOptions<T> = {}): Promise<RowOf<T>[]> {
    const { where, orderBy, limit, offset, withDeleted, ...call } = options;
    const selection = {
      where: this.#visible(where, withDeleted),
      orderBy: orderOf(this.#store.facts, orderBy),
      limit: checkedCount('limit', limit),
      offset: checkedCount('offset', offset),
    };
    return this.#store.find(selection, this.#named('findAll', call));
  }

  /** The row, or undefined. */
  async findById(id: IdOf<T, K>, options: ReadOptions = {}): Promise<RowOf<T> | undefined> {
    const { withDeleted = false, ...call } = options;
    const { facts } = this.#store;
    const where = () => and(keyPlaceholders(facts), withDeleted ? undefined : liveCondition(facts))!;
    const kept = { name: `by key ${withDeleted}`, where, values: keyValues(facts, id) };
    return this.#store.findKept(kept, this.#named('findById', call));
  }

  /** The first row that fits, or undefined. */
  async findOne(where: Where<T>, options: FindOptions<T> = {}): Promise<RowOf<T> | undefined> {
    const { orderBy, withDeleted, ...call } = options;
    const selection = {
      where: this.#visible(where, withDeleted),
      orderBy: orderOf(this.#store.facts, orderBy),
      limit: 1,
    };
    const [row] = await this.#store.find(selection, this.#named('findOne', call));
    return row;
  }

  /** A page by its number, or with `after` the page behind a row. */
  findPage<const O extends OffsetPageOptions<T>>(options: O): Promise<WithTotal<O, OffsetPage<RowOf<T>>>>;
  findPage<const O extends KeysetPageOptions<T>>(options: O): Promise<WithTotal<O, KeysetPage<RowOf<T>>>>;
  async findPage(options: OffsetPageOptions<T> | KeysetPageOptions<T>): Promise<unknown> {
    const { where, withDeleted, size, page, after, orderBy, total, ...call } = options;
    const visible = this.#visible(where, withDeleted);
    const request = { where: visible, size, page, after, orderBy, total };
    return readPage(this.#store, request, this.#named('findPage', call));
  }

  async exists(where: Where<T>, options: ReadOptions = {}): Promise<boolean> {
    const { withDeleted, ...call } = options;
    return this.#store.exists(this.#visible(where, withDeleted), this.#named('exists', call));
  }

  async count(where?: Where<T>, options: ReadOptions = {}): Promise<number> {
    const { withDeleted, ...call } = options;
    return this.#store.count(this.#visible(where, withDeleted), this.#named('count', call));
  }

  /**
   * Inserts a row, and gives it as it was stored, with its key and defaults.
   * @throws ConstraintError when it already exists: see `upsert` and `update`
   */
  async save(row: NewRowOf<T>, options: CallOptions = {}): Promise<RowOf<T>> {
    const [stored] = await this.#store.insert([row], this.#named('save', options));
    return stored!;
  }

  /**
   * Inserts rows, all or none, in as few statements as the engine takes, in one trip. `returning: false`
   * gives their number instead, and saves reading them back.
   */
  saveMany(
    rows: readonly NewRowOf<T>[],
    options: CallOptions & { readonly returning: false },
  ): Promise<number>;
  saveMany(
    rows: readonly NewRowOf<T>[],
    options?: CallOptions & { readonly returning?: true },
  ): Promise<RowOf<T>[]>;
  async saveMany(
    rows: readonly NewRowOf<T>[],
    { returning = true, ...call }: CallOptions & { readonly returning?: boolean } = {},
  ): Promise<RowOf<T>[] | number> {
    const named = this.#named('saveMany', call);
    return returning ? this.#store.insert(rows, named) : this.#store.insertOnly(rows, named);
  }

  /**
   * Inserts the row, or updates the existing one with its values. Columns that it leaves out stay as they
   * are; a softly deleted row is restored.
   */
  async upsert(row: NewRowOf<T>, options: UpsertOptions<T> = {}): Promise<RowOf<T>> {
    const { conflict, ...call } = options;
    const { facts } = this.#store;
    const target: readonly string[] = conflict ?? facts.key;
    if (target.length === 0) throw new UsageError('An upsert needs the columns of a unique constraint.');
    const set = renewals(facts);
    if (facts.deleted !== undefined) set[facts.deleted] ??= null;
    const given = Object.keys(row).filter((key) => (row as StoredRow)[key] !== undefined);
    const kept = new Set([...target, ...facts.key, ...Object.keys(set)]);
    const taken = given.filter((key) => columnOf(facts, key) && !kept.has(key));
    // Something must be set for the row to be returned.
    if (taken.length === 0 && Object.keys(set).length === 0) taken.push(target[0]!);
    const named = this.#named('upsert', call);
    return (await this.#store.upsert(row, { target, taken, set }, named)) as RowOf<T>;
  }

  /**
   * Changes a row and gives it as it is then; undefined when there is none. A patch with the version that was
   * read, such as the whole row, is refused when the row has another version by now. Columns like `updatedAt`
   * are renewed, whatever the patch says of them.
   * @throws VersionConflictError
   */
  async update(id: IdOf<T, K>, patch: PatchOf<T>, options: CallOptions = {}): Promise<RowOf<T> | undefined> {
    const { facts } = this.#store;
    const { set, version } = changesOf(facts, patch, id);
    const row = and(keyCondition(facts, id), liveCondition(facts))!;
    const named = this.#named('update', options);
    const [updated] = await this.#store.update(set, and(row, version)!, named);
    if (updated === undefined && version !== undefined) await this.#assertGone(row, named);
    return updated;
  }

  /** @returns how many rows there were */
  async updateWhere(where: Where<T>, patch: PatchOf<T>, options: CallOptions = {}): Promise<number> {
    const { facts } = this.#store;
    const { set, version } = changesOf(facts, patch);
    if (version !== undefined) {
      throw new UsageError('A version belongs to one row: updateWhere() increases it, and accepts none.');
    }
    return this.#store.updateOnly(set, this.#many(where), this.#named('updateWhere', options));
  }

  /** @returns whether it was there */
  async delete(id: IdOf<T, K>, options: DeleteOptions = {}): Promise<boolean> {
    const { hard, ...call } = options;
    const named = this.#named('delete', call);
    return (await this.#remove(keyCondition(this.#store.facts, id), hard, named)) > 0;
  }

  /** @returns how many rows there were */
  async deleteWhere(where: Where<T>, options: DeleteOptions = {}): Promise<number> {
    const { hard, ...call } = options;
    const condition = requiredConditionOf(this.#store.facts, where);
    return this.#remove(condition, hard, this.#named('deleteWhere', call));
  }

  /** Undoes a soft deletion; undefined when there is no such row. */
  async restore(id: IdOf<T, K>, options: CallOptions = {}): Promise<RowOf<T> | undefined> {
    const { facts } = this.#store;
    if (facts.deleted === undefined) throw new UsageError(`Rows of "${facts.name}" are deleted for good.`);
    const where = and(keyCondition(facts, id), deletedCondition(facts))!;
    const set = { ...renewals(facts), [facts.deleted]: null };
    const [restored] = await this.#store.update(set, where, this.#named('restore', options));
    return restored;
  }

  async #remove(condition: SQL, hard: boolean | undefined, named: CallOptions): Promise<number> {
    const { facts } = this.#store;
    if (facts.deleted === undefined || hard === true) return this.#store.delete(condition, named);
    const set = { ...renewals(facts), [facts.deleted]: new Date() };
    return this.#store.updateOnly(set, and(condition, liveCondition(facts))!, named);
  }

  /** Nothing was updated: the row is gone, or it has another version. */
  async #assertGone(row: SQL, named: CallOptions): Promise<void> {
    const isThere = await this.#store.exists(row, named);
    if (isThere) throw new VersionConflictError(this.#store.facts.name);
  }

  #visible(where: Where<T> | undefined, withDeleted: boolean | undefined): SQL | undefined {
    const { facts } = this.#store;
    const condition = where === undefined ? undefined : conditionOf(facts, where);
    return withDeleted === true ? condition : and(condition, liveCondition(facts));
  }

  #many(where: Where<T>): SQL {
    const { facts } = this.#store;
    return and(requiredConditionOf(facts, where), liveCondition(facts))!;
  }

  /** `users.findById` in events and metrics, unless the caller has a better name. */
  #named(method: string, options: CallOptions): CallOptions {
    return options.name === undefined ? { ...options, name: `${this.#store.facts.name}.${method}` } : options;
  }
}

function checkedCount(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new UsageError(`${name} is a whole number of rows, 0 or more.`);
}
