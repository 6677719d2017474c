import type { StatementPlan, StatementSnapshot } from '../../metrics/index.ts';
import { button, change, element, setText } from './dom.ts';
import type { Detail } from './keyed-table.ts';
import { duration, percent, wholeCount } from './numbers.ts';

const PHASES = ['waiting', 'running', 'transferring', 'unknown'] as const;

/** What is shown of an opened statement: its text, where its time goes, and its plan when asked for. */
export function statementDetail(first: StatementSnapshot): Detail<StatementSnapshot> {
  const bar = element('div', { class: 'phases' });
  const facts = element('p', { class: 'facts' });
  const plan = element('div', { 'aria-live': 'polite' });
  const ask = button('Show plan and advice', () => void showPlan(first, plan));
  const text = element('pre', {}, first.text);
  const node = element('div', {}, text, bar, facts, first.id === 'other' ? undefined : ask, plan);
  const update = (row: StatementSnapshot) => {
    bar.replaceChildren(phaseBar(row));
    facts.replaceChildren(...factsOf(row));
  };
  update(first);
  return { node, update };
}

async function showPlan({ database, id }: StatementSnapshot, target: HTMLElement): Promise<void> {
  setText(target, 'asking…');
  try {
    const query = new URLSearchParams({ database, statement: id });
    const { lines, advice } = (await change(`/queries/plan?${query}`)) as StatementPlan;
    const found = advice.map(({ severity, message, index }) => {
      const said = element('p', {}, message);
      const made = index === undefined ? undefined : element('pre', {}, index);
      return element('div', { class: 'advice', 'data-severity': severity }, said, made);
    });
    const nothing = found.length > 0 ? [] : [element('p', { class: 'quiet' }, 'Nothing to advise.')];
    const steps = lines.length === 0 ? 'No steps: nothing is searched.' : lines.join('\n');
    target.replaceChildren(element('pre', {}, steps), ...found, ...nothing);
  } catch (error) {
    setText(target, error instanceof Error ? error.message : 'That failed.');
  }
}

const SVG = 'http://www.w3.org/2000/svg';

/** An image, because its widths are attributes: the page allows itself no inline styles. */
function phaseBar({ phases, totalMs }: StatementSnapshot): SVGElement {
  const bar = document.createElementNS(SVG, 'svg');
  bar.setAttribute('preserveAspectRatio', 'none');
  bar.setAttribute('viewBox', '0 0 100 1');
  bar.setAttribute('aria-hidden', 'true');
  let left = 0;
  for (const phase of PHASES) {
    const share = totalMs === 0 ? 0 : (phases[`${phase}Ms`] / totalMs) * 100;
    const part = document.createElementNS(SVG, 'rect');
    const place = { x: left, y: 0, width: share, height: 1 };
    for (const [name, value] of Object.entries(place)) part.setAttribute(name, String(value));
    bar.append(part);
    left += share;
  }
  return bar;
}

function factsOf(row: StatementSnapshot): Node[] {
  const fact = (name: string, value: string) => element('span', {}, `${name} `, element('b', {}, value));
  const share = (ms: number) => (row.totalMs === 0 ? '–' : percent(ms / row.totalMs));
  const phases = PHASES.filter((phase) => row.phases[`${phase}Ms`] > 0).map((phase) =>
    fact(phase, share(row.phases[`${phase}Ms`])),
  );
  return [
    ...phases,
    fact('average', duration(row.averageMs)),
    fact('fastest', duration(row.minMs)),
    fact('slowest', duration(row.maxMs)),
    fact('in all', duration(row.totalMs)),
    fact('rows', wholeCount(row.rows)),
    ...(row.tablesRead.length > 0 ? [fact('reads', row.tablesRead.join(', '))] : []),
    ...(row.tablesWritten.length > 0 ? [fact('writes', row.tablesWritten.join(', '))] : []),
    fact('database', row.database),
    fact('id', row.id),
  ];
}
