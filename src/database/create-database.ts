import { systemClock } from '../async/index.ts';
import { resolveDatabaseConfig, type DatabaseOptions, type ResolvedDatabaseConfig } from '../config/index.ts';
import { UsageError } from '../errors/index.ts';
import { EventHub, registerAnnouncer } from '../events/index.ts';
import { assertNoSelfDeadlock, assertNotStarving, TransactionManager } from '../transaction/index.ts';
import type { Backend, BackendParts } from './backend.ts';
import { Database } from './database.ts';
import { logEvents } from './event-log.ts';
import { HealthMonitor } from './health-monitor.ts';
import { createLogger, type LeveledLogger } from './logger.ts';
import { PostgresBackend } from './postgres-backend.ts';
import { ReplicatedBackend } from './replicated-backend.ts';
import { QueryRecorder } from './query-recorder.ts';
import { Readiness } from './readiness.ts';
import { registerDatabase, releaseName, reserveName } from './registry.ts';
import { SqliteBackend } from './sqlite-backend.ts';

const UNREGISTERED = 'unnamed';

/** What a higher folder does to a database before anyone uses it. */
export interface DatabasePreparation {
  /** Throws where it is not meant for this configuration; called before anything is opened. */
  readonly accept?: (config: ResolvedDatabaseConfig) => void;
  /** Makes the open database ready. */
  readonly prepare: (database: Database, config: ResolvedDatabaseConfig) => Promise<void>;
}

/**
 * Opens a database as it is, without migrations: `openDatabase('sqlite:data/app.db')`, an options object, or
 * nothing: then the configuration file and the environment say which. The database is ready when this
 * resolves, and is closed with `close()`.
 *
 * @throws ConfigError listing every fault of the configuration
 * @throws ConnectionError where the database cannot be opened; nothing is left open then
 * @throws UsageError where a database of that name is open
 */
export function openDatabase(
  given?: string | DatabaseOptions,
  options?: Omit<DatabaseOptions, 'url'>,
): Promise<Database> {
  return openPrepared({ prepare: async () => {} }, given, options);
}

/** The same, with a preparation by a higher folder before anyone uses the database. */
export async function openPrepared(
  preparation: DatabasePreparation,
  given: string | DatabaseOptions | undefined,
  options: Omit<DatabaseOptions, 'url'> | undefined,
): Promise<Database> {
  const config = await resolveDatabaseConfig({ given: joinOptions(given, options) });
  preparation.accept?.(config);
  const { prepare } = preparation;
  if (config.name === false) return prepared(await createDatabase(config, () => undefined), config, prepare);
  const { name } = config;
  reserveName(name);
  try {
    const database = await prepared(await createDatabase(config, () => releaseName(name)), config, prepare);
    registerDatabase(name, database);
    return database;
  } catch (error) {
    releaseName(name);
    throw error;
  }
}

/** Nothing is left open where the preparation fails. */
async function prepared(
  database: Database,
  config: ResolvedDatabaseConfig,
  prepare: DatabasePreparation['prepare'],
): Promise<Database> {
  try {
    await prepare(database, config);
    return database;
  } catch (error) {
    await database.close({ timeoutMs: 0 });
    throw error;
  }
}

/** The one place where the parts of a database are put together. */
async function createDatabase(config: ResolvedDatabaseConfig, onClose: () => void): Promise<Database> {
  const name = config.name === false ? UNREGISTERED : config.name;
  const log = createLogger(config.log);
  const events = createEvents(name, log);
  const queries = new QueryRecorder(events, config);
  // The database's identity for the async context: it must exist before the database, which is made last.
  const key = {};
  const backend = await openBackend(config, {
    name,
    announce: events,
    observer: queries,
    beforeWrite: () => assertNoSelfDeadlock(key, 'A write outside the transaction'),
    beforeCall: () => assertNotStarving(key, ONLY_CONNECTION),
  });
  const transactions = createTransactions({ config, key, backend, events, log });
  const health = startHealthMonitor(config, backend, events);
  const { closeTimeoutMs } = config;
  const services = { config, announce: events, readiness: new Readiness() };
  const database = new Database(
    { name, backend, transactions, events, queries, health, services, closeTimeoutMs, onClose },
    key,
  );
  registerAnnouncer(database, events);
  return database;
}

/** What a call outside a transaction competes for where there is one connection for everything. */
const ONLY_CONNECTION = {
  what: 'A call outside the transaction',
  hasRoom: () => false,
  competes: () => true,
};

function createEvents(name: string, log: LeveledLogger | undefined): EventHub {
  const events = new EventHub(name, (error, event) => {
    const message = 'a listener failed; whoever announced the event is not affected';
    log?.logger.error({ err: error, event }, message);
  });
  if (log !== undefined) logEvents(events, log.logger, log.level);
  return events;
}

interface TransactionsParts {
  readonly config: ResolvedDatabaseConfig;
  readonly key: object;
  readonly backend: Backend;
  readonly events: EventHub;
  readonly log: LeveledLogger | undefined;
}

function createTransactions({ config, key, backend, events, log }: TransactionsParts): TransactionManager {
  return new TransactionManager({
    databaseKey: key,
    dialect: backend.dialect,
    source: (readOnly) => backend.source(readOnly),
    hasRoom: (readOnly) => backend.hasRoom(readOnly),
    exclusiveWriter: backend.exclusiveWriter,
    readersApart: backend.readersApart,
    announce: events,
    clock: systemClock,
    limits: { ...config, heldTooLongMs: config.pool.leakAfterMs },
    reportError: (error) => log?.logger.error({ err: error }, 'a transaction callback failed'),
  });
}

function startHealthMonitor(
  config: ResolvedDatabaseConfig,
  backend: Backend,
  events: EventHub,
): HealthMonitor {
  const health = new HealthMonitor({
    settings: config.healthCheck,
    announce: events,
    clock: systemClock,
    check: () => backend.check(),
    reconnect: backend.reconnect,
  });
  health.start();
  return health;
}

async function openBackend(config: ResolvedDatabaseConfig, parts: BackendParts): Promise<Backend> {
  if (config.dialect === 'sqlite') return SqliteBackend.open(config, parts);
  return config.replicas.length === 0
    ? PostgresBackend.open(config, parts)
    : ReplicatedBackend.open(config, parts);
}

function joinOptions(
  given: string | DatabaseOptions | undefined,
  options: Omit<DatabaseOptions, 'url'> | undefined,
): string | DatabaseOptions | undefined {
  if (options === undefined) return given;
  if (typeof options !== 'object' || options === null)
    throw new UsageError('openDatabase takes a URL and an object with options behind it.');
  if (typeof given === 'string') return { ...options, url: given };
  if (given === undefined) return options;
  throw new UsageError('openDatabase takes a URL with options, or one options object; not two objects.');
}
