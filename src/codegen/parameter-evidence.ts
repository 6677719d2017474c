import type { AbstractValue, StoredColumn } from './abstract-value.ts';
import type { ValueShape } from './query-shape.ts';

/** What a program does with parameters, by their numbers. */
export class ParameterEvidence {
  readonly #types = new Map<number, Set<string>>();
  readonly #stored = new Map<number, boolean>();

  /** The parameter is compared with a column, or is looked for in an index. */
  compared({ parameters = [] }: AbstractValue, column: StoredColumn | undefined): void {
    for (const parameter of parameters) this.#add(parameter, column?.bindable);
  }

  /** The parameter is written into a column. */
  stored({ parameters = [] }: AbstractValue, column: StoredColumn | undefined, nullable: boolean): void {
    for (const parameter of parameters) {
      this.#add(parameter, column?.bindable);
      this.#stored.set(parameter, (this.#stored.get(parameter) ?? true) && nullable);
    }
  }

  /** The parameter has to be of this type. */
  used({ parameters = [] }: AbstractValue, type: string): void {
    for (const parameter of parameters) this.#add(parameter, type);
  }

  /**
   * Undefined where nothing was seen. Where it is stored, NULL may be bound; a comparison with NULL is never
   * true.
   */
  shapeOf(parameter: number): ValueShape | undefined {
    const types = this.#types.get(parameter);
    const nullable = this.#stored.get(parameter) ?? false;
    if (types === undefined) return undefined;
    const members = [...types].flatMap((type) => type.split(' | '));
    return { type: [...new Set(members)].join(' | '), nullable };
  }

  #add(parameter: number, type: string | undefined): void {
    if (type === undefined) return;
    const types = this.#types.get(parameter);
    if (types === undefined) this.#types.set(parameter, new Set([type]));
    else types.add(type);
  }
}
