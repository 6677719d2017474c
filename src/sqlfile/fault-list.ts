import type { SqlFileProblem } from '../errors/index.ts';
import type { SourceText } from './source-text.ts';

/** Faults of one file that are kept: the first says enough, a thousand would say no more. */
const MOST_FAULTS = 100;

/** What is wrong in one file, all of it. */
export class FaultList {
  readonly problems: SqlFileProblem[] = [];
  readonly #source: SourceText;

  constructor(source: SourceText) {
    this.#source = source;
  }

  /** The place is `text.slice(start, end)`. */
  add(message: string, start: number, end?: number): void {
    if (this.problems.length < MOST_FAULTS) this.problems.push(this.#source.problem(message, start, end));
  }
}
