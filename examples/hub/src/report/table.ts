import { paint } from './paint.ts';
import { toText } from './numbers.ts';

/** One line of the comparison. `gain` is how many times better *after* is; below 1 it is worse. */
export interface Row {
  readonly label: string;
  readonly before: string;
  readonly after: string;
  readonly gain?: number | undefined;
}

/** Rows under a title; `unit` stands above both columns. */
export interface Section {
  readonly title: string;
  readonly unit: string;
  readonly rows: readonly Row[];
}

/** What stands above the columns. */
export interface TableNames {
  readonly before?: string;
  readonly after?: string;
  readonly nameOfBefore: string;
}

// 80 characters in all.
const LABEL = 31;
const COLUMN = 21;
const GAIN = 7;

/** The comparison as aligned lines; `nameOfBefore` says what *before* is. */
export function toTable(
  sections: readonly Section[],
  { before = 'before', after = 'after', nameOfBefore }: TableNames,
): string[] {
  const head = paint('bold', line({ label: '', before, after, gain: 'gain' }));
  const names = paint('dim', line({ label: '', before: nameOfBefore, after: 'millpond', gain: '' }));
  return [head, names, ...sections.flatMap(toLines)];
}

function toLines({ title, unit, rows }: Section): string[] {
  const heading =
    paint('heading', `  ${title}`.padEnd(LABEL)) +
    paint('dim', unit.padStart(COLUMN) + unit.padStart(COLUMN));
  return ['', heading.trimEnd(), ...rows.map(toLine)];
}

function toLine({ label, before, after, gain }: Row): string {
  const plain = line({ label: `    ${label}`, before, after, gain: '' }).padEnd(LABEL + 2 * COLUMN);
  return gain === undefined ? plain.trimEnd() : plain + paintGain(gain);
}

function paintGain(gain: number): string {
  const text = `${toText(gain)}×`.padStart(GAIN);
  if (gain >= 1.1) return paint('green', text);
  return paint(gain >= 0.9 ? 'dim' : 'yellow', text);
}

function line(cells: { label: string; before: string; after: string; gain: string }): string {
  const text = cells.label.padEnd(LABEL) + cells.before.padStart(COLUMN) + cells.after.padStart(COLUMN);
  return (text + cells.gain.padStart(GAIN)).trimEnd();
}
