import type { QueryObserver } from '../driver/index.ts';
import { noChanges, type Changes } from './changes.ts';
import type { CostModel } from './cost-model.ts';
import type { CallPlace } from './pending-call.ts';

/** Makes what calls outside any transaction have in common: a read has a cost model, a write has changes. */
export class CallPlaces {
  readonly #shared: Pick<CallPlace, 'transactionId' | 'queryTimeoutMs' | 'observer'>;

  constructor(queryTimeoutMs: number, observer: QueryObserver) {
    this.#shared = { transactionId: undefined, queryTimeoutMs, observer };
  }

  read(cost: CostModel): CallPlace {
    const kind = { placement: 'worker', mayWrite: false, commits: false, changes: noChanges } as const;
    return { ...kind, cost, ...this.#shared };
  }

  write(changes: () => Changes): CallPlace {
    const kind = { placement: 'grouped', mayWrite: true, commits: true, changes } as const;
    return { ...kind, cost: undefined, ...this.#shared };
  }
}
