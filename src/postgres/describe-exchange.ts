import { readColumns, readParameterTypes, type Column } from './columns.ts';
import type { Exchange, Loss } from './exchange.ts';
import { readFailure, type ServerFailure } from './server-error.ts';
import { BackendCode } from './wire-codes.ts';
import type { WireWriter } from './wire-writer.ts';

/** What a statement takes and gives, as the server says without running it. */
export interface StatementShape {
  readonly parameterTypes: readonly number[];
  readonly columns: readonly Column[];
}

interface DescribeParts {
  readonly text: string;
  answered(shape: StatementShape, failure: ServerFailure | undefined): void;
  lost(loss: Loss): void;
}

/** Has a statement prepared and described, and no more. */
export class DescribeExchange implements Exchange {
  readonly isBarrier = false;
  readonly #parts: DescribeParts;
  #parameterTypes: readonly number[] = [];
  #columns: readonly Column[] = [];
  #failure: ServerFailure | undefined;

  constructor(parts: DescribeParts) {
    this.#parts = parts;
  }

  write(writer: WireWriter): void {
    writer.parse('', this.#parts.text);
    writer.describeStatement('');
    writer.sync();
  }

  read(code: number, buffer: Buffer, start: number, end: number): void {
    if (code === BackendCode.parameterDescription) this.#parameterTypes = readParameterTypes(buffer, start);
    else if (code === BackendCode.rowDescription) this.#columns = readColumns(buffer, start);
    else if (code === BackendCode.error) this.#failure ??= readFailure(buffer, start, end);
  }

  end(): void {
    this.#parts.answered({ parameterTypes: this.#parameterTypes, columns: this.#columns }, this.#failure);
  }

  lose(loss: Loss): void {
    this.#parts.lost(loss);
  }
}
