import type { Label } from './labels.ts';

/** With more than this, everything counts as changed. */
const MOST_LABELS = 10_000;

/** Changes that the other processes have not been told of yet, or not for certain. */
export class UntoldChanges {
  #waiting: Set<Label> | 'everything' = new Set();
  #underWay: ReadonlySet<Label> | 'everything' | undefined;

  get size(): number {
    return sizeOf(this.#waiting) + sizeOf(this.#underWay);
  }

  add(labels: Iterable<Label> | 'everything'): void {
    if (this.#waiting === 'everything') return;
    if (labels === 'everything') {
      this.#waiting = 'everything';
      return;
    }
    for (const label of labels) this.#waiting.add(label);
    if (this.#waiting.size > MOST_LABELS) this.#waiting = 'everything';
  }

  /**
   * The changes to send now; `told` or `failed` must follow. Undefined until then, and where there are none.
   */
  take(): readonly Label[] | 'everything' | undefined {
    if (this.#underWay !== undefined || sizeOf(this.#waiting) === 0) return undefined;
    this.#underWay = this.#waiting;
    this.#waiting = new Set();
    return this.#underWay === 'everything' ? 'everything' : [...this.#underWay];
  }

  told(): void {
    this.#underWay = undefined;
  }

  /** It may or may not have arrived: it is sent again. */
  failed(): void {
    const again = this.#underWay ?? [];
    this.#underWay = undefined;
    this.add(again);
  }

  /** Asked before a value is fetched: what it says no to may be older than a change that was made here. */
  snapshot(): (labels: readonly Label[]) => boolean {
    const [waiting, underWay = new Set<Label>()] = [this.#waiting, this.#underWay];
    if (waiting === 'everything' || underWay === 'everything') return () => false;
    if (waiting.size + underWay.size === 0) return () => true;
    const untold = new Set([...waiting, ...underWay]);
    return (labels) => !labels.some((label) => untold.has(label));
  }
}

function sizeOf(changes: ReadonlySet<Label> | 'everything' | undefined): number {
  if (changes === undefined) return 0;
  return changes === 'everything' ? 1 : changes.size;
}
