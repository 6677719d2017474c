import type { Entry, Lists, Step } from './history.ts';

/**
 * Whether there is one order in which the transactions of a history could have run one after another, each at
 * some moment between its call and its answer, so that all saw what they saw (strict serializability).
 *
 * Lists that only grow show the order of their writers, and each read shows between which of them it came.
 * That makes edges "must come before"; so does the end of one before the beginning of another. An order exists
 * where these have no cycle: https://github.com/jepsen-io/elle
 *
 * @returns every fault as a sentence; none is the only good answer
 */
export function checkHistory(entries: readonly Entry[], lists: Lists): string[] {
  const faults = [...findLost(entries, lists), ...findImpossibleReads(entries, lists)];
  if (faults.length > 0) return faults;
  const inCycle = findCycle(entries, lists);
  return inCycle === 0
    ? []
    : [`${inCycle} transactions are in or behind a cycle: no order explains what they saw`];
}

function findLost(entries: readonly Entry[], lists: Lists): string[] {
  const present = new Set([...lists.values()].flat());
  const faults: string[] = [];
  for (const [list, values] of lists)
    if (new Set(values).size < values.length) faults.push(`list ${list} holds a value twice`);
  for (const { told, steps } of entries) {
    const appended = steps.filter((step) => step.kind === 'append');
    const there = appended.filter(({ value }) => present.has(value)).length;
    if (told === 'committed' && there < appended.length) faults.push('an acknowledged append is lost');
    if (told === 'refused' && there > 0) faults.push('an append that was refused is there');
    if (there > 0 && there < appended.length) faults.push('a transaction is there in part');
  }
  return faults;
}

/** A read sees the beginning of its list, and behind that what its own transaction has appended. */
function findImpossibleReads(entries: readonly Entry[], lists: Lists): string[] {
  const faults: string[] = [];
  for (const { steps, told } of entries) {
    if (told !== 'committed') continue;
    for (const [index, step] of steps.entries()) {
      if (step.kind !== 'read') continue;
      const final = lists.get(step.list) ?? [];
      if (!step.seen.every((value, place) => value === final[place]))
        faults.push(`a read of list ${step.list} saw what is no beginning of it`);
      if (!ownBefore(steps, index).every((value) => step.seen.includes(value)))
        faults.push('a transaction did not see what it had appended itself');
    }
  }
  return faults;
}

function ownBefore(steps: readonly Step[], index: number): number[] {
  const { list } = steps[index]!;
  return steps
    .slice(0, index)
    .flatMap((step) => (step.kind === 'append' && step.list === list ? step.value : []));
}

/** @returns how many transactions cannot be brought into an order */
function findCycle(entries: readonly Entry[], lists: Lists): number {
  const writerOf = new Map<number, number>();
  for (const [index, { steps }] of entries.entries())
    for (const step of steps) if (step.kind === 'append') writerOf.set(step.value, index);
  // Those that left no trace, and whose reads nobody was told of, need no place in the order.
  const counts = entries.map(({ told, steps }) => told === 'committed' || isThere(steps, lists));
  const order = new Precedence(entries.length);
  for (const values of lists.values())
    for (const [place, value] of values.entries())
      order.add(writerOf.get(values[place - 1] ?? NaN), writerOf.get(value));
  for (const [index, { steps, told }] of entries.entries()) {
    if (told !== 'committed') continue;
    for (const step of steps) {
      if (step.kind !== 'read') continue;
      order.add(writerOf.get(step.seen.at(-1) ?? NaN), index);
      order.add(index, writerOf.get((lists.get(step.list) ?? [])[step.seen.length] ?? NaN));
    }
  }
  addTime(entries, counts, order);
  return order.countUnsortable();
}

function isThere(steps: readonly Step[], lists: Lists): boolean {
  return steps.some((step) => step.kind === 'append' && (lists.get(step.list) ?? []).includes(step.value));
}

/**
 * Who was told before another began comes first. A node for each answer, one behind the other, says so without
 * an edge for each pair.
 */
function addTime(entries: readonly Entry[], counts: readonly boolean[], order: Precedence): void {
  const ends = entries.flatMap(({ told, endedAt }, index) =>
    // Of an unknown one nobody knows when it happened.
    told === 'committed' && counts[index]! ? { at: endedAt, index } : [],
  );
  ends.sort((a, b) => a.at - b.at);
  const moments = ends.map(({ index }) => {
    const moment = order.addNode();
    order.add(index, moment);
    return moment;
  });
  moments.forEach((moment, place) => order.add(moments[place - 1], moment));
  for (const [index, { beganAt }] of entries.entries()) {
    if (!counts[index]!) continue;
    order.add(moments[lastBefore(ends, beganAt)], index);
  }
}

/** The place of the last end before that time; -1 where there is none. */
function lastBefore(ends: readonly { readonly at: number }[], time: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]!.at < time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What must come before what. */
class Precedence {
  readonly #after: Set<number>[];
  readonly #transactions: number;

  constructor(transactions: number) {
    this.#transactions = transactions;
    this.#after = Array.from({ length: transactions }, () => new Set());
  }

  addNode(): number {
    return this.#after.push(new Set()) - 1;
  }

  add(before: number | undefined, after: number | undefined): void {
    if (before !== undefined && after !== undefined && before !== after) this.#after[before]!.add(after);
  }

  /** Takes away whatever has nothing before it, until nothing can be taken. */
  countUnsortable(): number {
    const waitsFor = new Array<number>(this.#after.length).fill(0);
    for (const successors of this.#after) for (const node of successors) waitsFor[node]! += 1;
    const free = [...waitsFor.keys()].filter((node) => waitsFor[node] === 0);
    const sorted = new Set<number>();
    for (let node = free.pop(); node !== undefined; node = free.pop()) {
      sorted.add(node);
      for (const next of this.#after[node]!) if ((waitsFor[next]! -= 1) === 0) free.push(next);
    }
    return Array.from({ length: this.#transactions }, (_, node) => node).filter((node) => !sorted.has(node))
      .length;
  }
}
