/**
 * How the pool makes and unmakes what it holds, and asks it how it is. Any of these may throw or hang: the
 * pool survives it.
 */
export interface ResourceFactory<Resource> {
  /**
   * Opens one. The signal aborts after `createTimeoutMs` and when the pool closes; what arrives later is
   * destroyed.
   */
  create(signal: AbortSignal): Promise<Resource>;
  /**
   * Opening needs no other machine, only time of this one. Who waits for one that is being opened for it is
   * then not refused after `acquireTimeoutMs`, as if others held too many, but after `createTimeoutMs`.
   */
  readonly opensHere?: boolean;
  destroy(resource: Resource, reason: string): Promise<void>;
  /** Asks over the wire whether it still answers. Without it nothing is pinged and nothing kept alive. */
  ping?(resource: Resource): Promise<boolean>;
  /** Tells from what is known already. Asked before each lease and after it: must be cheap. */
  isUsable?(resource: Resource): boolean;
  /**
   * Settles when it is lost, with what it died of. Without it that shows when it is looked at; with it an idle
   * one is replaced at once, where `min` asks for that, and the loss is announced.
   */
  lost?(resource: Resource): Promise<Error>;
  /** Makes it clean for the next taker, after each lease. False, or an error, has it destroyed. */
  reset?(resource: Resource): Promise<boolean>;
  /** How it appears in events. @default a number counted by the pool, and the pool's name */
  describe?(resource: Resource): ResourceDescription;
}

export interface ResourceDescription {
  readonly connectionId: number;
  readonly role: string;
}
