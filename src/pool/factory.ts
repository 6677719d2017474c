/**
 * How the pool creates, destroys and checks what it holds. Any of these may throw or hang: the pool survives
 * it.
 */
export interface ResourceFactory<Resource> {
  /**
   * Opens one. The signal aborts after `createTimeoutMs` and when the pool closes; what arrives later is
   * destroyed.
   */
  create(signal: AbortSignal): Promise<Resource>;
  /**
   * True where opening needs no other machine, only time on this one. A caller that waits for a resource
   * being opened for it is then refused after `createTimeoutMs`, not after `acquireTimeoutMs` as if others
   * held too many.
   */
  readonly opensHere?: boolean;
  /** What they are for, in the event of one that never opened. Without it the pool's name stands there. */
  readonly role?: string;
  destroy(resource: Resource, reason: string): Promise<void>;
  /** Asks over the wire whether it still answers. Without it nothing is pinged and nothing kept alive. */
  ping?(resource: Resource): Promise<boolean>;
  /** Decides from what is already known. Called before and after each lease, so it must be cheap. */
  isUsable?(resource: Resource): boolean;
  /**
   * Settles when it is lost, with the reason. Without it a loss shows at the next check; with it an idle one
   * is replaced at once, where `min` asks for that, and the loss is announced.
   */
  lost?(resource: Resource): Promise<Error>;
  /**
   * Cleans it for the next taker, after each lease. If it gives false or fails, the resource is destroyed.
   */
  reset?(resource: Resource): Promise<boolean>;
  /** How it appears in events. @default a number counted by the pool, and the pool's name */
  describe?(resource: Resource): ResourceDescription;
}

export interface ResourceDescription {
  readonly connectionId: number;
  readonly role: string;
}
