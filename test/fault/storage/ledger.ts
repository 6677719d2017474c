import type { Findings } from './experiment.ts';
import type { Answer, Content, Told } from './parts.ts';

/** What callers were told of each operation, and the codes of the errors that told it. */
export class Ledger {
  readonly told: Map<string, Told> = new Map();
  readonly #counts = { committed: 0, refused: 0, unknown: 0 };
  readonly #codes = new Map<string, number>();

  note(op: string, { told, code }: Answer): void {
    this.told.set(op, told);
    this.#counts[told] += 1;
    if (code !== undefined) this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
  }

  /** Takes a line of a child: `committed op`, `refused op code`, `unknown op code`. Others are not for it. */
  readonly take = (line: string): void => {
    const [word = '', op = '', ...rest] = line.split(' ');
    if (word !== 'committed' && word !== 'refused' && word !== 'unknown') return;
    const code = rest.join(' ').trim();
    this.note(op, code === '' ? { told: word } : { told: word, code });
  };

  count(told: Told): number {
    return this.#counts[told];
  }

  /** Compares what callers were told with what is in the file. */
  check(when: string, { whole, torn, integrity }: Content, findings: Findings): void {
    if (integrity !== 'ok') findings.break(`${when}: integrity_check says ${integrity}`);
    for (const op of torn) findings.break(`${when}: ${op} is there in part`);
    for (const [op, told] of this.told) {
      if (told === 'committed' && !whole.has(op))
        findings.break(`${when}: ${op} was acknowledged and is lost`);
      if (told === 'refused' && whole.has(op)) findings.break(`${when}: ${op} was refused and is there`);
    }
    for (const code of this.#codes.keys()) {
      if (!code.startsWith('ERR_MILLPOND')) findings.break(`${when}: a caller was told ${code}`);
    }
  }

  /** Adds to the findings how many callers were told what, and with which codes. */
  report(findings: Findings): void {
    for (const [told, count] of Object.entries(this.#counts)) if (count > 0) findings.add(told, count);
    for (const [code, count] of this.#codes) findings.add(code, count);
  }
}
