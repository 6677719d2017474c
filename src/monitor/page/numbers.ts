/** `812`, `8.1k`, `3.2M`: short enough for a tile, exact enough to compare. */
export function shortCount(count: number): string {
  if (count < 1_000)
    return count < 10 && !Number.isInteger(count) ? count.toFixed(1) : String(Math.round(count));
  if (count < 1_000_000) return `${(count / 1_000).toFixed(count < 9_950 ? 1 : 0)}k`;
  return `${(count / 1_000_000).toFixed(count < 9_950_000 ? 1 : 0)}M`;
}

export function wholeCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** Milliseconds: `< 0.01 ms`, `0.04 ms`, `12 ms`, `1.3 s`, `4 min`. */
export function duration(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 0.01) return '< 0.01 ms';
  if (ms < 10) return `${ms.toFixed(ms < 1 ? 2 : 1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  if (count < 1_000_000) return `${(count / 1_000).toFixed(0)} kB`;
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)} MB`;
  return `${(count / 1_000_000_000).toFixed(2)} GB`;
}

/** From 0 to 1: `99.5 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(share > 0 && share < 0.999_5 ? 1 : 0)} %`;
}

/** Milliseconds since 1970, as the time of day of whoever looks. */
export function timeOfDay(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB');
}
