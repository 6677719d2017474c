import { MigrationError, type MigrationFault, type MigrationFaultKind } from '../errors/index.ts';

/** Collects what is wrong, so that all of it is reported together. */
export class Faults {
  readonly #faults: MigrationFault[] = [];

  add(kind: MigrationFaultKind, message: string, place: Omit<MigrationFault, 'kind' | 'message'> = {}): void {
    this.#faults.push({ kind, message, ...place });
  }

  get count(): number {
    return this.#faults.length;
  }

  /** @throws MigrationError with every fault, where there is any */
  throwIfAny(): void {
    const [first, ...others] = this.#faults;
    if (first !== undefined) throw new MigrationError([first, ...others]);
  }
}
