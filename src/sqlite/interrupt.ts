import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DatabaseSync, type StatementSync } from './binding.ts';

/** Stops running statements of other connections in this process. See `native/interrupt.c`. */
export interface Interrupter {
  /** What the other side loads to be interruptible: {@link registerForInterrupt}. */
  readonly libraryPath: string;
  /**
   * Stops whatever the connection runs now; an idle one is not harmed. Only call it while the statement that
   * should end is known to be the running one: an interrupt cannot tell one statement from the next, and a
   * write stopped inside a transaction takes the whole transaction with it.
   *
   * @param connectionKey what {@link registerForInterrupt} returned
   * @returns false when that connection is closed, or this interrupter is
   */
  interrupt(connectionKey: number): boolean;
  /** Gives back this user's share of the control connection. A second call does nothing. */
  close(): void;
}

interface ControlConnection {
  readonly database: DatabaseSync;
  readonly interrupt: StatementSync;
  readonly libraryPath: string;
}

// The control connection holds no data and serves every database of the process: one is enough, closed with
// its last user.
let control: ControlConnection | undefined;
let users = 0;
let unavailableReason: string | undefined;

/** An interrupter for this thread; where there is none, {@link interruptUnavailableReason} says why. */
export function loadInterrupter(libraryPath: string = interruptLibraryPath()): Interrupter | undefined {
  control ??= openControlConnection(libraryPath);
  if (!control) return undefined;
  const shared = control;
  users += 1;
  let open = true;
  return {
    libraryPath: shared.libraryPath,
    interrupt: (connectionKey) => open && shared.interrupt.get(connectionKey)!.interrupted === 1,
    close: () => {
      if (!open) return;
      open = false;
      users -= 1;
      if (users === 0) closeControlConnection(shared);
    },
  };
}

/** Why the last {@link loadInterrupter} gave none, in a sentence for statistics and messages. */
export function interruptUnavailableReason(): string | undefined {
  return unavailableReason;
}

/**
 * Makes `database` interruptible. It must have been opened with `allowExtension`, which is switched off here.
 *
 * @returns the key to interrupt it by; never reused, and useless once the connection is closed
 */
export function registerForInterrupt(database: DatabaseSync, libraryPath: string): number {
  loadOnce(database, libraryPath);
  return database.prepare('select millpond_interrupt_register() as key').get()!.key as number;
}

/** Where `npm run build:native` puts the library: the same from `src/sqlite` and `dist/sqlite`. */
export function interruptLibraryPath(): string {
  const extension = { darwin: 'dylib', win32: 'dll' }[process.platform as string] ?? 'so';
  const relative = `../../native/build/${process.platform}-${process.arch}/interrupt.${extension}`;
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Where the library is, if it was built. */
export function findInterruptLibrary(libraryPath: string = interruptLibraryPath()): string | undefined {
  return existsSync(libraryPath) ? libraryPath : undefined;
}

function openControlConnection(libraryPath: string): ControlConnection | undefined {
  if (!findInterruptLibrary(libraryPath)) {
    unavailableReason = `the interrupt extension is not built (no ${libraryPath}): npm run build:native`;
    return undefined;
  }
  const database = new DatabaseSync(':memory:', { allowExtension: true });
  try {
    loadOnce(database, libraryPath);
    unavailableReason = undefined;
    return {
      database,
      libraryPath,
      interrupt: database.prepare('select millpond_interrupt(?) as interrupted'),
    };
  } catch (error) {
    // Built for another platform or C library, or not permitted: the engine works without it, at a lower
    // level.
    unavailableReason = `the interrupt extension cannot be loaded: ${(error as Error).message}`;
    database.close();
    return undefined;
  }
}

function closeControlConnection({ database }: ControlConnection): void {
  control = undefined;
  database.close();
}

function loadOnce(database: DatabaseSync, libraryPath: string): void {
  try {
    database.loadExtension(libraryPath);
  } finally {
    // From here on no SQL text can load code into the process, whoever wrote it.
    database.enableLoadExtension(false);
  }
}
