import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { openSession } from './open-session.ts';
import { toFailure } from './failure.ts';
import type { Answers, Wire, WorkerReady, WorkerStart } from './protocol.ts';
import type { Session } from './session.ts';

/** About what it takes the caller's thread to read an answer and send its next statement. */
const LISTEN_MS = 0.15;

/** The thread of one connection: opens it, then executes messages until it is told to close. */
function main(): void {
  const port = parentPort!;
  const start = workerData as WorkerStart;
  const send = (answers: Answers, transfer: ArrayBuffer[]) => port.postMessage(answers, transfer);
  try {
    const { session, interruptKey } = openSession(start, send);
    port.on('message', (message: Wire) => {
      session.handle(withWaiting(message));
      if (session.isInTransaction) listenActively(session);
    });
    port.postMessage({ ready: true, interruptKey } satisfies WorkerReady);
  } catch (error) {
    port.postMessage({ ready: false, ...toFailure(error) } satisfies WorkerReady);
    port.close();
  }
}

/** The message and all that came while the one before was executed: writes among them share one COMMIT. */
function withWaiting(message: Wire): Wire {
  let more = receiveMessageOnPort(parentPort!) as { message: Wire } | undefined;
  while (more !== undefined) {
    for (const field of more.message) message.push(field);
    more = receiveMessageOnPort(parentPort!) as { message: Wire } | undefined;
  }
  return message;
}

/**
 * While a write transaction is open, every other writer waits for it, and it waits for the caller's next statement: to
 * sleep and be woken would take longer than most statements. Looks for it without sleeping, for a moment.
 */
function listenActively(session: Session): void {
  let until = performance.now() + LISTEN_MS;
  while (session.isInTransaction && performance.now() < until) {
    const next = receiveMessageOnPort(parentPort!) as { message: Wire } | undefined;
    if (next === undefined) continue;
    session.handle(withWaiting(next.message));
    until = performance.now() + LISTEN_MS;
  }
}

main();
