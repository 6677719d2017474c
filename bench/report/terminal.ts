import { stripVTControlCharacters, styleText } from 'node:util';
import type { Bench } from '../run/bench.ts';
import type { PlannedCell } from '../run/plan.ts';
import { goalTable, machineLines, workTable, type Table, type TableRow } from './tables.ts';

type Format = Parameters<typeof styleText>[0];

const TONES: Readonly<Record<TableRow['tone'], Format>> = {
  plain: 'reset',
  ours: 'cyan',
  good: 'green',
  bad: 'red',
  quiet: 'dim',
};

/** Enough to see what went wrong; JSON has all of it. */
const FAILURE_LINES = 6;

/** The whole report for people. Colours only where the stream can show them (NO_COLOR is heeded). */
export function terminalReport(bench: Bench, stream: NodeJS.WriteStream): string {
  const paint = (format: Format, text: string): string =>
    styleText(format, text, { stream, validateStream: true });
  const tables = bench.results.works().map((work) => workTable(work, bench.results));
  const parts = [...tables, goalTable(bench) ?? []].flat().map((table) => renderTable(table, paint));
  const failures = [...bench.results.failures()].map(
    ([message, cells]) => `${paint('red', 'failed')}: ${cells.join(', ')}\n${firstLines(message)}`,
  );
  return [machineLines(bench).join('\n'), ...parts, ...failures].join('\n\n');
}

function renderTable(
  { title, note, head, rows }: Table,
  paint: (format: Format, text: string) => string,
): string {
  const all = [head, ...rows.map((row) => row.cells)];
  const widths = head.map((_, column) => Math.max(...all.map((cells) => widthOf(cells[column]!))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => padded(cell, widths[column]!, isText(head[column]!)))
      .join('  ')
      .trimEnd();
  return [
    `${paint('bold', title)}`,
    paint('dim', note),
    `  ${paint('dim', line(head))}`,
    ...rows.map((row) => `  ${paint(TONES[row.tone], line(row.cells))}`),
  ].join('\n');
}

function firstLines(message: string): string {
  return message.split('\n').slice(0, FAILURE_LINES).join('\n');
}

/** Words stand left, figures right. */
function isText(title: string): boolean {
  return ['peer', 'size', 'work', 'goal', 'verdict'].includes(title);
}

function padded(text: string, width: number, left: boolean): string {
  const space = ' '.repeat(width - widthOf(text));
  return left ? text + space : space + text;
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

/** One line that is rewritten in a terminal; elsewhere one line per round. */
export function showProgress(
  stream: NodeJS.WriteStream,
): (done: number, total: number, next: PlannedCell) => void {
  let lastRound = -1;
  return (done, total, { round, work, step, peer }) => {
    if (stream.isTTY) {
      const what = [work.title, step.title, peer].filter((part) => part !== '').join(' · ');
      const text = `${String(Math.round((done / total) * 100)).padStart(3)} %  round ${round + 1} · ${what}`;
      stream.write(`\r\u001b[2K${text.slice(0, stream.columns - 1)}`);
      return;
    }
    if (round !== lastRound) stream.write(`round ${round + 1}, ${done} of ${total} measurements done\n`);
    lastRound = round;
  };
}

export function clearProgress(stream: NodeJS.WriteStream): void {
  if (stream.isTTY) stream.write('\r\u001b[2K');
}
