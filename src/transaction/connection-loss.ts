import type { DriverConnection } from '../driver/index.ts';

type LossListener = (error: Error) => void;

/**
 * Who is told of a connection's loss at the moment. A reaction added to `connection.lost` cannot be removed,
 * so each connection gets a single one in its life, and the transaction that it tells changes.
 */
const listeners = new WeakMap<DriverConnection, { current: LossListener | undefined }>();

/** @returns a function that stops listening. */
export function onConnectionLoss(connection: DriverConnection, listener: LossListener): () => void {
  let slot = listeners.get(connection);
  if (slot === undefined) {
    const fresh: { current: LossListener | undefined } = { current: undefined };
    listeners.set(connection, fresh);
    void connection.lost.then((error) => fresh.current?.(error));
    slot = fresh;
  }
  const taken = slot;
  taken.current = listener;
  return () => {
    // Where a COMMIT is pipelined, the next transaction listens before this one knows how it ended.
    if (taken.current === listener) taken.current = undefined;
  };
}
