import type { Generated } from 'kysely';
import type { ItemRow } from './peer.ts';

/** The tables as Kysely is told of them. */
export interface Tables {
  readonly items: ItemRow;
  readonly accounts: { readonly id: number; readonly balance: number };
  readonly events: {
    readonly id: Generated<number>;
    readonly item_id: number;
    readonly kind: string;
    readonly payload: string;
    readonly at: number;
  };
}
