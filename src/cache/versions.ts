import type { Label } from './labels.ts';

/** A point in the order of changes: what was read since is current unless a later change says otherwise. */
export type Version = number;

/** With more labels than this, all loads under way are rejected instead, which costs them a second load. */
const MAX_LABELS = 10_000;

/**
 * Says of a load that ends whether what it depends on was changed since it began. Remembers changes only
 * while somebody may ask: with nothing under way it holds nothing.
 */
export class Versions {
  #now: Version = 1;
  /** Everything was changed then. */
  #everything: Version = 0;
  #underWay = 0;
  readonly #changedAt = new Map<Label, Version>();

  get now(): Version {
    return this.#now;
  }

  /** Changes are remembered from now on, until `close` was called as often. */
  open(): Version {
    this.#underWay += 1;
    return this.#now;
  }

  close(): void {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    // Questions about a version older than the next one are answered by `#everything`.
    if (this.#changedAt.size > 0) this.#everything = this.#now;
    this.#changedAt.clear();
  }

  change(labels: Iterable<Label>): void {
    this.#now += 1;
    if (this.#underWay === 0) {
      this.#everything = this.#now;
      return;
    }
    for (const label of labels) this.#changedAt.set(label, this.#now);
    if (this.#changedAt.size > MAX_LABELS) this.changeEverything();
  }

  changeEverything(): void {
    this.#now += 1;
    this.#everything = this.#now;
    this.#changedAt.clear();
  }

  /** False where one of the labels was changed after `since`, or may have been. */
  isCurrent(labels: Iterable<Label>, since: Version): boolean {
    if (this.#everything > since) return false;
    for (const label of labels) if ((this.#changedAt.get(label) ?? 0) > since) return false;
    return true;
  }
}
