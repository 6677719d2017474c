import type { Bench } from '../run/bench.ts';
import { goalTable, machineLines, workTable, type Table } from './tables.ts';

/** The page kept in the repository: the same tables as in the terminal. */
export function markdownReport(bench: Bench): string {
  const tables = bench.results.works().map((work) => workTable(work, bench.results));
  const failures = [...bench.results.failures()];
  return [
    '# Results of the last benchmark run',
    `Written by \`npm run ${bench.command} -- --write\`. How it is measured, and what each peer does: [README.md](README.md).`,
    machineLines(bench)
      .map((line) => `- ${line}`)
      .join('\n'),
    ...[goalTable(bench) ?? [], ...tables].flat().map(renderTable),
    ...(failures.length === 0 ? [] : ['## Failures']),
    ...failures.map(([message, cells]) => `- ${cells.join(', ')}: ${firstLine(message)}`),
  ]
    .join('\n\n')
    .concat('\n');
}

function renderTable({ title, note, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    `${note}.`,
    '',
    line(head),
    line(head.map((_, column) => (column === 0 ? '---' : '---:'))),
    ...rows.map(({ cells, tone }) => line(tone === 'ours' ? [`**${cells[0]}**`, ...cells.slice(1)] : cells)),
  ].join('\n');
}

function firstLine(message: string): string {
  return message.split('\n')[0]!;
}
