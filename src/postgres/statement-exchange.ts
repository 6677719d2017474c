import { readColumns, readParameterTypes } from './columns.ts';
import { readCommandTag, type CommandTag } from './command-tag.ts';
import type { Exchange, Loss, TransactionStatus } from './exchange.ts';
import type { PostgresLink } from './link.ts';
import type { ResultReader } from './result-reader.ts';
import type { RowShape, RowShapes } from './row-shape.ts';
import { readFailure, type ServerFailure } from './server-error.ts';
import type { PreparedStatement } from './statement-store.ts';
import { emptyTextError, SqlState } from './translate-failure.ts';
import { BackendCode } from './wire-codes.ts';
import type { WireValue, WireWriter } from './wire-writer.ts';

/** Rows that are fetched in chunks, inside a transaction. */
export interface Portal {
  readonly name: string;
  readonly maxRows: number;
  /** What its rows look like; undefined with the first, which opens it. */
  readonly shape: RowShape | undefined;
}

/** One statement of an exchange. */
export interface Step {
  readonly text: string;
  readonly values: readonly WireValue[];
  readonly reader: ResultReader;
  /** Whether the server is to keep it under a name, for the next time. */
  readonly named: boolean;
  /** What was sent so far is flushed before this step is done. */
  readonly flushed?: boolean;
  readonly portal?: Portal;
}

export interface StepFault {
  /** Which of the steps it is about, from 0. */
  readonly step: number;
  readonly error: unknown;
}

export interface ExchangeAnswer {
  readonly status: TransactionStatus;
  /** One for each step that was done, in order. */
  readonly tags: readonly CommandTag[];
  /** Why the first step after those was not done. */
  readonly failure: ServerFailure | undefined;
  /** Why rows cannot be given in the form asked for; the server did not fail. */
  readonly fault: StepFault | undefined;
  /** The server no longer has the statement, or its rows have other columns now: it works when sent again. */
  readonly isStale: boolean;
}

export interface StatementExchangeParts {
  readonly steps: readonly Step[];
  readonly shapes: RowShapes;
  readonly isBarrier?: boolean | undefined;
  /** See `Exchange.refusal`. */
  readonly refusal?: (() => Error | undefined) | undefined;
  answered(answer: ExchangeAnswer): void;
  lost(loss: Loss & Pick<ExchangeAnswer, 'tags' | 'failure'>): void;
  /** The types of the parameters, where the server was asked for them. */
  described?(typeIds: readonly number[]): void;
}

/** Statements with values, one behind the other, up to one Sync. */
export class StatementExchange implements Exchange {
  readonly isBarrier: boolean;
  readonly #parts: StatementExchangeParts;
  readonly #prepared: (PreparedStatement | undefined)[] = [];
  readonly #tags: CommandTag[] = [];
  #link: PostgresLink | undefined;
  #failure: ServerFailure | undefined;
  #fault: StepFault | undefined;
  #isStale = false;

  constructor(parts: StatementExchangeParts) {
    this.#parts = parts;
    this.isBarrier = parts.isBarrier ?? false;
  }

  refusal(): Error | undefined {
    return this.#parts.refusal?.();
  }

  write(writer: WireWriter, link: PostgresLink): void {
    this.#link = link;
    for (const name of link.statements.takeClosed()) writer.closeStatement(name);
    const { steps } = this.#parts;
    if (this.#isReadable(link)) {
      for (let index = 0; index < steps.length; index += 1) this.#writeStep(steps[index]!, writer, link);
    }
    writer.sync();
  }

  read(code: number, buffer: Buffer, start: number, end: number): void {
    switch (code) {
      case BackendCode.dataRow:
        return this.#readRow(buffer, start);
      case BackendCode.commandComplete:
        // The text fills the message, except for the zero behind it.
        this.#tags.push(readCommandTag(buffer, start, end - 1));
        return;
      case BackendCode.rowDescription:
        return this.#begin(this.#parts.shapes.get(readColumns(buffer, start)));
      case BackendCode.noData:
        return this.#begin(null);
      case BackendCode.parameterDescription:
        return this.#parts.described?.(readParameterTypes(buffer, start));
      case BackendCode.emptyQuery:
        this.#fault ??= { step: this.#tags.length, error: emptyTextError() };
        this.#tags.push({ command: '', rowsAffected: 0 });
        return;
      case BackendCode.portalSuspended:
        this.#tags.push({ command: 'SUSPENDED', rowsAffected: 0 });
        return;
      case BackendCode.error:
        return this.#fail(readFailure(buffer, start, end));
      default:
    }
  }

  end(status: TransactionStatus): void {
    this.#parts.answered({
      status,
      tags: this.#tags,
      failure: this.#failure,
      fault: this.#fault,
      isStale: this.#isStale,
    });
  }

  lose(loss: Loss): void {
    this.#parts.lost({ ...loss, tags: this.#tags, failure: this.#failure });
  }

  /** Rows that could not be given in the form asked for are not requested: nothing but the Sync is sent. */
  #isReadable({ statements }: PostgresLink): boolean {
    const { steps } = this.#parts;
    let step = 0;
    try {
      for (; step < steps.length; step += 1) {
        const { text, named, reader } = steps[step]!;
        const prepared = named ? statements.get(text) : undefined;
        if (prepared?.shape !== undefined) reader.begin(prepared.shape);
      }
      return true;
    } catch (error) {
      this.#fault = { step, error };
      return false;
    }
  }

  #writeStep(step: Step, writer: WireWriter, { statements }: PostgresLink): void {
    const { text, values, named, portal } = step;
    if (step.flushed === true) writer.flush();
    if (portal !== undefined) return this.#writePortal(step, portal, writer);
    let prepared = named ? statements.get(text) : undefined;
    const isNew = named && prepared === undefined;
    if (isNew) prepared = statements.add(text);
    this.#prepared.push(prepared);
    const name = prepared?.name ?? '';
    if (isNew || !named) writer.parse(name, text);
    writer.bind('', name, values);
    if (prepared?.shape === undefined) writer.describePortal('');
    writer.execute('', 0);
  }

  #writePortal({ text, values }: Step, { name, maxRows, shape }: Portal, writer: WireWriter): void {
    this.#prepared.push(undefined);
    if (shape === undefined) {
      writer.parse('', text);
      writer.bind(name, '', values);
      writer.describePortal(name);
    }
    writer.execute(name, maxRows);
  }

  #begin(shape: Parameters<ResultReader['begin']>[0]): void {
    const step = this.#tags.length;
    const prepared = this.#prepared[step];
    if (prepared !== undefined) prepared.shape = shape;
    try {
      this.#parts.steps[step]!.reader.begin(shape);
    } catch (error) {
      this.#fault ??= { step, error };
    }
  }

  #readRow(buffer: Buffer, start: number): void {
    if (this.#fault !== undefined) return;
    const step = this.#tags.length;
    try {
      this.#parts.steps[step]!.reader.row(buffer, start);
    } catch (error) {
      this.#fault = { step, error };
    }
  }

  #fail(failure: ServerFailure): void {
    this.#failure ??= failure;
    const [prepared, ...skipped] = this.#prepared.slice(this.#tags.length);
    const { statements } = this.#link!;
    // Those that were to be prepared behind it were not.
    for (const other of skipped) if (other !== undefined && other.shape === undefined) statements.drop(other);
    if (prepared === undefined) return;
    this.#isStale = isStale(failure) || (prepared.shape !== undefined && mayBeOfOldTypes(failure));
    // One that was never prepared, or has changed, must not be found again.
    if (this.#isStale || prepared.shape === undefined) statements.drop(prepared);
  }
}

/** A value that does not fit the type that the column had when the statement was prepared. */
function mayBeOfOldTypes({ code }: ServerFailure): boolean {
  return OLD_TYPE_STATES.has(code);
}

const OLD_TYPE_STATES: ReadonlySet<string> = new Set(['22P02', '22003', '22007', '22008', '22P03']);

/**
 * `cached plan must not change result type` shares its code with many other errors; only its place identifies
 * it.
 */
function isStale({ code, routine }: ServerFailure): boolean {
  if (code === SqlState.unknownStatement) return true;
  return code === SqlState.featureNotSupported && routine === 'RevalidateCachedQuery';
}
