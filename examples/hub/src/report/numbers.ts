/** `12,345`, `12.3`, `0.12`: about three digits, so that columns can be compared at a glance. */
export function toText(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A whole number with separators. */
export function toCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** How many times better; undefined where one of the two is nothing. */
export function toGain(better: number, worse: number): number | undefined {
  return better > 0 && worse > 0 ? better / worse : undefined;
}
