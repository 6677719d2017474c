/** What the process of a service is told. The address goes this way: arguments are for everybody to see. */
export type Order =
  | { readonly kind: 'start'; readonly service: 'naive' | 'full'; readonly url: string }
  | { readonly kind: 'state' };

export interface State {
  readonly kind: 'state';
  /** Resident, with everything: heap, native memory, threads. */
  readonly memoryBytes: number;
  readonly hitRate: number;
}

/** What it says. */
export type Said =
  | State
  | { readonly kind: 'started'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string };
