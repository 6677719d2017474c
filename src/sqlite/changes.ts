import type { StatementAnalysis } from './statement-analysis.ts';

/** The tables that a write changes, or `anything` where they are not known. */
export type Changes = readonly string[] | 'anything';

const NOTHING: Changes = Object.freeze([]);

export function noChanges(): Changes {
  return NOTHING;
}

/** What a statement changes. A changed schema may change what any statement means. */
export function changesOf(analysis: StatementAnalysis | undefined): Changes {
  return analysis === undefined || analysis.changesSchema ? 'anything' : analysis.tablesWritten;
}

export function joinChanges(parts: readonly Changes[]): Changes {
  if (parts.includes('anything')) return 'anything';
  return [...new Set((parts as readonly (readonly string[])[]).flat())];
}

/** What a transaction has changed so far. Collected only where somebody wants to hear of it. */
export class TransactionChanges {
  #tables: Set<string> | 'anything' = new Set();

  note(changes: Changes): void {
    if (changes === 'anything') this.#tables = 'anything';
    else if (this.#tables !== 'anything') for (const table of changes) this.#tables.add(table);
  }

  get all(): Changes {
    return this.#tables === 'anything' ? 'anything' : [...this.#tables];
  }
}
