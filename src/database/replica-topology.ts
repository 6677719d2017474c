import { systemClock, runInRootContext, waitAtMost, type Timer } from '../async/index.ts';
import type { PostgresTarget, ResolvedPostgresConfig } from '../config/index.ts';
import { ConnectionError } from '../errors/index.ts';
import type { NotificationHub } from '../postgres/index.ts';
import { LagMeter } from '../replication/index.ts';
import type { BackendParts } from './backend.ts';
import { createHub } from './postgres-services.ts';
import { PostgresBackend } from './postgres-backend.ts';
import { askPlace, askPlaceSurely, ReplicaSide, type ReplicaState } from './replica-side.ts';

/** A server that is no longer the primary has its sessions cut off after this. */
const OLD_PRIMARY_CLOSE_MS = 0;

/** The server's own setting, whatever the session's is. */
const SET_READ_ONLY = {
  text: "select reset_val = 'on' from pg_settings where name = 'default_transaction_read_only'",
  params: [],
};
const ASK_TIMEOUT_MS = 2_000;
/** For the answers of replicas, once the primary has answered; at the start all of them are waited for. */
const SIDES_WAIT_MS = 250;

/**
 * Which of the servers is the primary, and which are replicas: as they were configured, until a server says
 * something else of itself.
 */
export class ReplicaTopology {
  readonly hub: NotificationHub;
  readonly #config: ResolvedPostgresConfig;
  readonly #parts: BackendParts;
  readonly #meter = new LagMeter();
  #primary: PostgresBackend;
  #primaryTarget: PostgresTarget;
  #replicas: readonly ReplicaSide[];
  #looking: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isDoubted = false;
  /** A write was refused there since the last look. */
  #isRefusingWrites = false;
  #isClosed = false;

  private constructor(config: ResolvedPostgresConfig, parts: BackendParts, primary: PostgresBackend) {
    this.#config = config;
    this.#parts = parts;
    this.#primary = primary;
    this.#primaryTarget = config.primary;
    this.#replicas = config.replicas.map((target) => this.#createSide(target));
    this.hub = createHub(config, parts.announce, (signal) => this.#primary.openLink(signal));
  }

  /** @throws ConnectionError where no primary can be found */
  static async open(config: ResolvedPostgresConfig, parts: BackendParts): Promise<ReplicaTopology> {
    const primary = await openFirst(config, parts);
    const { target, backend } = primary;
    const replicas = [config.primary, ...config.replicas].filter((one) => one !== target);
    const topology = new ReplicaTopology({ ...config, primary: target, replicas }, parts, backend);
    await topology.#look(Infinity);
    topology.#schedule();
    return topology;
  }

  get primary(): PostgresBackend {
    return this.#primary;
  }

  get primaryServer(): string {
    return serverOf(this.#primaryTarget);
  }

  get replicas(): readonly ReplicaSide[] {
    return this.#replicas;
  }

  /** Something on the primary failed as if it were no longer one: looks now. */
  doubt(why: 'connection' | 'read-only'): void {
    if (why === 'read-only') this.#isRefusingWrites = true;
    if (this.#isDoubted || this.#isClosed) return;
    this.#isDoubted = true;
    this.#timer?.cancel();
    runInRootContext(() => void this.#lookAndSchedule());
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await Promise.all([
      this.#looking,
      this.hub.close(),
      this.#primary.close(timeoutMs),
      ...this.#replicas.map((side) => side.close(timeoutMs)),
    ]);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    // Two that waited for the same look come here one after the other.
    this.#timer?.cancel();
    const { checkIntervalMs } = this.#config.replica;
    this.#timer = runInRootContext(() =>
      systemClock.after(checkIntervalMs, () => void this.#lookAndSchedule()),
    );
  }

  async #lookAndSchedule(): Promise<void> {
    this.#timer?.cancel();
    this.#looking ??= this.#look(SIDES_WAIT_MS).finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
    this.#isDoubted = false;
    this.#schedule();
  }

  /**
   * Never rejects: a server that cannot be asked is left out. What a silent replica is found to be shows in a
   * later look: it must not keep the others from being asked.
   */
  async #look(sidesWaitMs: number): Promise<void> {
    const sides = Promise.all(this.#replicas.map((side) => side.look()));
    const found = await this.#lookAtPrimary();
    await waitAtMost(sidesWaitMs, sides);
    if (found === 'primary' || this.#isClosed) return;
    const successor = this.#replicas.find(({ state }) => state === 'promoted');
    if (successor !== undefined) await this.#follow(successor);
    // Its host name may lead elsewhere by now: new connections look it up again.
    else if (found === 'no primary') this.#primary.reconnect();
  }

  async #lookAtPrimary(): Promise<'primary' | 'no primary' | 'gone'> {
    try {
      const { inRecovery, flushed } = await askPlaceSurely(this.#primary);
      if (!inRecovery) this.#meter.note(flushed, performance.now());
      return inRecovery || (await this.#isSetReadOnly()) ? 'no primary' : 'primary';
    } catch {
      // Calls on it report this to their callers; here it only matters that it is gone.
      return 'gone';
    }
  }

  /** Whether somebody has made the whole server read-only, as is done before a move to another. */
  async #isSetReadOnly(): Promise<boolean> {
    if (!this.#isRefusingWrites || this.#config.readOnly) return false;
    this.#isRefusingWrites = false;
    return (await this.#primary.ask(SET_READ_ONLY, ASK_TIMEOUT_MS))[0]?.[0] === true;
  }

  async #follow(successor: ReplicaSide): Promise<void> {
    const oldTarget = this.#primaryTarget;
    const old = this.#primary;
    let opened: PostgresBackend;
    try {
      opened = await PostgresBackend.open({ ...this.#config, primary: successor.target }, this.#parts);
    } catch {
      // It has only just been promoted; the next look tries again.
      return;
    }
    // Everything else was closed while it was being opened.
    if (this.#isClosed) return opened.close(OLD_PRIMARY_CLOSE_MS);
    this.#primary = opened;
    this.#primaryTarget = successor.target;
    const others = this.#replicas.filter((side) => side !== successor);
    this.#replicas = [...others, this.#createSide(oldTarget)];
    const change = { from: serverOf(oldTarget), to: serverOf(successor.target) };
    this.#parts.announce.emit('replication:primary-changed', change);
    this.hub.reconnect();
    // Only a primary could acknowledge what still runs on the old one.
    await Promise.all([old.close(OLD_PRIMARY_CLOSE_MS), successor.close(OLD_PRIMARY_CLOSE_MS)]);
  }

  #createSide(target: PostgresTarget): ReplicaSide {
    return new ReplicaSide({
      target,
      maxLagMs: this.#config.replica.maxLagMs,
      meter: this.#meter,
      open: (given) => {
        const name = `${this.#parts.name}:replica ${serverOf(given)}`;
        const config = { ...this.#config, primary: given, replicas: [], readOnly: true };
        return PostgresBackend.open(config, { ...this.#parts, name });
      },
      onChange: (side, before) => this.#announceChange(side, before),
    });
  }

  #announceChange(side: ReplicaSide, before: ReplicaState): void {
    const { server, state } = side;
    const { announce } = this.#parts;
    if (state === 'up') {
      if (before !== 'starting') announce.emit('health:up', { side: 'replica', server });
    } else if (state !== 'starting') {
      announce.emit('health:down', { side: 'replica', server, error: side.trouble });
    }
  }
}

/** The configured primary, or whichever of the other servers says that it is one. */
async function openFirst(
  config: ResolvedPostgresConfig,
  parts: BackendParts,
): Promise<{ target: PostgresTarget; backend: PostgresBackend }> {
  let failure: unknown;
  for (const target of [config.primary, ...config.replicas]) {
    try {
      const backend = await PostgresBackend.open({ ...config, primary: target }, parts);
      const { inRecovery } = await askPlace(backend);
      if (!inRecovery || config.readOnly) return { target, backend };
      failure ??= new ConnectionError(`${target.url} is a replica, and none of the others is its primary.`);
      await backend.close(0);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function serverOf({ host, port }: PostgresTarget): string {
  return `${host}:${port}`;
}
