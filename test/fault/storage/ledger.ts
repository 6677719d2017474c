import type { Findings } from './experiment.ts';
import type { Content, Told } from './parts.ts';

/** What callers were told of each operation, and the codes of the errors that told it. */
export class Ledger {
  readonly told: Map<string, Told> = new Map();
  readonly codes: Map<string, number> = new Map();

  /** Takes a line of a child: `committed op`, `refused op code`, `unknown op code`. Others are not for it. */
  readonly take = (line: string): void => {
    const [word = '', op = '', ...code] = line.split(' ');
    if (word !== 'committed' && word !== 'refused' && word !== 'unknown') return;
    this.told.set(op, word);
    const name = code.join(' ');
    if (name !== '') this.codes.set(name, (this.codes.get(name) ?? 0) + 1);
  };

  /** Holds what callers were told against what the file holds. */
  check(when: string, { whole, torn, integrity }: Content, findings: Findings): void {
    if (integrity !== 'ok') findings.break(`${when}: integrity_check says ${integrity}`);
    for (const op of torn) findings.break(`${when}: ${op} is there in part`);
    for (const [op, told] of this.told) {
      if (told === 'committed' && !whole.has(op))
        findings.break(`${when}: ${op} was acknowledged and is lost`);
      if (told === 'refused' && whole.has(op)) findings.break(`${when}: ${op} was refused and is there`);
    }
  }

  /** Adds to the counts how many callers were told what. */
  count(findings: Findings): void {
    for (const told of this.told.values()) findings.add(told);
  }
}
