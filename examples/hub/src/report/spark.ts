const LEVELS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** One character per value; `most` is the height of a full one. Nothing at all is a dot. */
export function toSparkline(values: readonly number[], most: number): string {
  return values
    .map((value) => (value <= 0 ? '·' : (LEVELS[Math.min(7, Math.floor((value / most) * 8))] ?? '█')))
    .join('');
}

/** A horizontal bar of at most `width` characters, drawn to an eighth of one. */
export function toBar(value: number, most: number, width: number): string {
  const eighths = most > 0 ? Math.max(1, Math.round((value / most) * width * 8)) : 0;
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}

/** Sums neighbours so that at most `width` values remain. */
export function squeeze(values: readonly number[], width: number): number[] {
  const step = Math.ceil(values.length / width);
  const squeezed: number[] = [];
  for (let start = 0; start < values.length; start += step) {
    const part = values.slice(start, start + step);
    squeezed.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return squeezed;
}
