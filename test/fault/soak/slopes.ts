/** What a process holds at rest. */
export interface Sample {
  readonly memoryMiB: number;
  readonly handles: number;
  readonly files: number;
  readonly logMiB: number;
}

interface Growth {
  readonly before: number;
  readonly after: number;
  readonly isGrowth: boolean;
}

/** Rounds before anything is compared: readers are opened, code is compiled, caches are filled. */
const WARM_UP_ROUNDS = 6;
/** What a quiet process may differ by from one moment to another. */
const TOLERANCE: Readonly<Record<keyof Sample, number>> = { memoryMiB: 60, handles: 8, files: 16, logMiB: 8 };

/** Compares the median of the last third of the samples with that of the first, leaving out the warm-up. */
export function growth(samples: readonly Sample[]): Readonly<Partial<Record<keyof Sample, Growth>>> {
  const compared = samples.slice(WARM_UP_ROUNDS);
  const third = Math.floor(compared.length / 3);
  if (third < 2) return {};
  const [early, late] = [compared.slice(0, third), compared.slice(-third)];
  const of = (name: keyof Sample): Growth => {
    const [before, after] = [median(early, name), median(late, name)];
    return { before, after, isGrowth: after > before + TOLERANCE[name] };
  };
  return { memoryMiB: of('memoryMiB'), handles: of('handles'), files: of('files'), logMiB: of('logMiB') };
}

function median(samples: readonly Sample[], name: keyof Sample): number {
  const sorted = samples.map((sample) => sample[name]).toSorted((a, b) => a - b);
  return Math.round(sorted[Math.floor(sorted.length / 2)]!);
}
