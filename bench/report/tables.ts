import { spreadOf } from '../harness/statistics.ts';
import type { Bench } from '../run/bench.ts';
import { bestOf, differences, ratios, type Verdict } from '../run/compare.ts';
import { samplesOf, type CellResult, type Results } from '../run/results.ts';
import type { Column, Work } from '../works/index.ts';
import { formatBound, formatFigure, formatRange, formatRatio } from './format.ts';

/** Above this the figures say more about the neighbours. */
const QUIET_SHARE = 0.05;
/** Processes that wanted a core, for each core, before a run. */
const QUIET_LOAD = 0.1;

/** Cells of text; whoever prints them decides how a table looks. */
export interface Table {
  readonly title: string;
  readonly note: string;
  readonly head: readonly string[];
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  readonly cells: readonly string[];
  /** How a terminal may colour it. */
  readonly tone: 'plain' | 'ours' | 'good' | 'bad' | 'quiet';
}

export function workTable(work: Work, results: Results): Table {
  const cells = results.cellsOf(work.name);
  const [first, ...others] = work.columns;
  const stepHead = work.steps === undefined ? [] : ['size'];
  return {
    title: work.title,
    note: `${work.what}; ratio to ${referenceTitle(work)}`,
    head: ['peer', ...stepHead, first!.title, 'min … max', 'ratio', ...others.map((c) => c.title)],
    rows: cells.map((cell) => ({
      cells: rowOf(work, cell, cells),
      tone: cell.peer.startsWith('millpond') ? 'ours' : 'plain',
    })),
  };
}

function rowOf(work: Work, cell: CellResult, cells: readonly CellResult[]): string[] {
  const [first, ...others] = work.columns;
  const name = [cell.peer, ...(work.steps === undefined ? [] : [cell.step.title])];
  const samples = samplesOf(cell, first!.metric);
  if (samples.length === 0) return [...name, 'failed', ...others.map(() => '–'), '–', '–'];
  const spread = spreadOf(samples);
  const format = (value: number): string => formatFigure(value, first!.unit);
  return [
    ...name,
    format(spread.median),
    formatRange(spread, format),
    ratioOf(work, cell, cells),
    ...others.map((column) => medianText(columnSamples(column, cell, cells), column.unit)),
  ];
}

function columnSamples(
  { metric, perStep }: Column,
  cell: CellResult,
  cells: readonly CellResult[],
): number[] {
  if (perStep !== true) return samplesOf(cell, metric);
  const smallest = cells.find(({ peer }) => peer === cell.peer)!;
  const steps = cell.step.value - smallest.step.value;
  return steps === 0 ? [] : differences(cell, smallest, metric).map((difference) => difference / steps);
}

function medianText(samples: readonly number[], unit: Parameters<typeof formatFigure>[1]): string {
  return samples.length === 0 ? '–' : formatFigure(spreadOf(samples).median, unit);
}

function ratioOf(work: Work, cell: CellResult, cells: readonly CellResult[]): string {
  const candidates = cells.filter(
    ({ peer, step }) => work.reference.includes(peer) && step.value === cell.step.value,
  );
  const reference = bestOf(candidates, work.columns[0]!.metric, work.better);
  if (reference === undefined) return '–';
  const found = ratios(cell, reference, work.columns[0]!.metric);
  return found.length === 0 ? '–' : formatRatio(spreadOf(found).median);
}

function referenceTitle({ reference }: Work): string {
  return reference.length === 1 ? reference[0]! : `the better of ${reference.join(' and ')}`;
}

/** None where the works that were run have no goals. */
export function goalTable({ verdicts, checks, results }: Bench): Table | undefined {
  const chosen = [...verdicts, ...checks].filter(({ goal }) => results.cellsOf(goal.work).length > 0);
  if (chosen.length === 0) return undefined;
  return {
    title: 'Goals',
    note: 'a ratio is taken round by round; the median decides',
    head: ['work', 'goal', 'bound', 'measured', 'min … max', 'verdict'],
    rows: chosen.map((verdict) => ({
      cells: [verdict.goal.work, verdict.goal.says, formatBound(verdict.goal), ...verdictCells(verdict)],
      tone: verdict.reached === undefined ? 'quiet' : verdict.reached ? 'good' : 'bad',
    })),
  };
}

function verdictCells({ goal, measured, reached }: Verdict): string[] {
  if (measured === undefined) return ['–', '–', 'not measured'];
  const format = goal.unit === 'times' ? formatRatio : (value: number) => formatFigure(value, 'ms');
  return [
    format(measured.median),
    formatRange(measured, format),
    reached === true ? 'reached' : 'not reached',
  ];
}

/** Where and how the run was made, as lines of `name: value`. */
export function machineLines({ machine, inspection, results, options, tookMs, startedAt }: Bench): string[] {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const sqlite = Object.entries(inspection.sqliteVersions).map(([peer, version]) => `${peer} ${version}`);
  const source = options.dist ? 'dist' : 'src';
  return [
    `machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system}`,
    `disk: ${machine.fileSystem}, a 4 KB write made durable in ${machine.syncUs} µs (median)`,
    `versions: ${versions.join(', ')}`,
    ...(inspection.server === undefined ? [] : [`server: ${inspection.server}`]),
    ...(sqlite.length > 0 ? [`SQLite: ${sqlite.join(', ')}`] : []),
    `run: ${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${Math.round(tookMs / 1_000)} s,` +
      ` ${options.rounds} rounds, ${options.measureMs} ms per measurement after ${options.warmUpMs} ms of warm-up,` +
      ` millpond from ${source}${machine.commit === undefined ? '' : ` at ${machine.commit}`},` +
      ` load before ${machine.loadBefore.toFixed(2)}`,
    ...(inspection.server === undefined ? noiseLines(results.samples('othersShare')) : loadLines(machine)),
    ...(machine.fileSystem === 'tmpfs'
      ? ['warning: the files are in memory: durable works mean nothing; use --dir']
      : []),
    ...inspection.differences.map((difference) => `note: ${difference}`),
  ];
}

/** The server is another program, so its work and that of strangers cannot be told apart. */
function loadLines({ loadBefore, cores }: Bench['machine']): string[] {
  return loadBefore <= QUIET_LOAD * cores
    ? []
    : ['warning: the machine was not quiet before the run: do not keep these figures'];
}

/** Other programs on the machine are the usual reason why two runs differ. */
function noiseLines(othersShares: readonly number[]): string[] {
  if (othersShares.length === 0) return [];
  const mean = othersShares.reduce((sum, share) => sum + share, 0) / othersShares.length;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const most = percent(Math.max(...othersShares));
  const line = `noise: other programs used ${percent(mean)} of the cores during measurements, at most ${most}`;
  return mean > QUIET_SHARE
    ? [line, 'warning: the machine was not quiet: do not keep these figures']
    : [line];
}
