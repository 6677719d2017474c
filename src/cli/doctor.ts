import { existsSync } from 'node:fs';
import { resolveDatabaseConfig, type ResolvedDatabaseConfig } from '../config/index.ts';
import { servicesOf, type Database } from '../database/index.ts';
import { migrationStatus } from '../migrate/index.ts';
import { ExitCode, type CommandContext, type CommandResult } from './command.ts';
import { examinePostgres } from './examine-postgres.ts';
import { examineSqlite } from './examine-sqlite.ts';
import { look, warnIf, type Finding, type Look } from './finding.ts';
import { requireDatabase, withDatabase } from './open.ts';
import { textTable } from './text-table.ts';
import { millpondVersion } from './version.ts';

export interface DoctorOptions {
  /** Compares every index of a SQLite file with its table, which takes its time. @default false */
  readonly full?: boolean | undefined;
}

export interface DoctorReport {
  /** The worst of the findings. */
  readonly status: Finding['status'];
  readonly findings: readonly Finding[];
  /** Where each value of the configuration came from. */
  readonly sources: Readonly<Record<string, string>>;
}

const NEEDED_NODE = 24;
const SLOW_ANSWER_MS = 50;
const DEFAULT_FOLDER = 'migrations';

/** Looks at a database and at what it stands on. Changes nothing. */
export async function examine(db: Database, { full = false }: DoctorOptions = {}): Promise<DoctorReport> {
  const { config } = servicesOf(db);
  const findings = [
    await look('versions', async () => versions()),
    await look('configuration', async () => config.url),
    await look('connection', () => answerTime(db)),
    ...(config.dialect === 'sqlite'
      ? await examineSqlite(db, config, full)
      : await examinePostgres(db, config)),
    await look('migrations', () => migrations(db, config.migrationsFolder)),
  ];
  const worst = (['failed', 'warning'] as const).find((status) =>
    findings.some((one) => one.status === status),
  );
  return { status: worst ?? 'ok', findings, sources: config.sources };
}

/** `millpond doctor` */
export async function doctorCommand(context: CommandContext, options: DoctorOptions): Promise<CommandResult> {
  // Of the application: the database here is opened with a few options of the command's own.
  const { url, name = false } = context;
  const config = await resolveDatabaseConfig({ given: { url, name } });
  await requireDatabase(context);
  return withDatabase(context, async (db) => {
    const report = { ...(await examine(db, options)), sources: config.sources };
    const lines = report.findings.map(({ status, what, message }) => `${MARKS[status]} ${what}: ${message}`);
    const said = Object.entries(config.sources).filter(([, source]) => source !== 'default');
    const rows = said.map(([option, source]) => [option, valueOf(config, option), source]);
    const exitCode = report.status === 'failed' ? ExitCode.failed : ExitCode.ok;
    return {
      json: report,
      text: [...lines, '', textTable(['option', 'value', 'from'], rows)].join('\n'),
      exitCode,
    };
  });
}

/** @param option `pool.max` */
function valueOf(config: ResolvedDatabaseConfig, option: string): unknown {
  const value = option
    .split('.')
    .reduce<unknown>((object, key) => (object as Readonly<Record<string, unknown>>)[key], config);
  return typeof value === 'object' ? '(in code)' : `${value as string}`;
}

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: 'ok     ',
  warning: 'warning',
  failed: 'FAILED ',
};

function versions(): Look {
  const [major] = process.versions.node.split('.').map(Number);
  const message = `millpond ${millpondVersion()}, Node ${process.versions.node}`;
  return warnIf(major! < NEEDED_NODE, `${message}; needed: Node ${NEEDED_NODE}`, message);
}

/**
 * A transaction that writes nothing, from BEGIN to ROLLBACK: it needs all that a write needs but the disk.
 */
async function answerTime(db: Database): Promise<Look> {
  const { readOnly } = servicesOf(db).config;
  // The first one opens a connection too, which a running service did long ago.
  await (await db.begin({ readOnly })).rollback();
  const startedAt = performance.now();
  await using tx = await db.begin({ readOnly });
  await tx.value('select 1');
  await tx.rollback();
  const ms = performance.now() - startedAt;
  return warnIf(
    ms > SLOW_ANSWER_MS,
    `a transaction took ${ms.toFixed(1)} ms`,
    `a transaction in ${ms.toFixed(1)} ms`,
  );
}

async function migrations(db: Database, folder: string = DEFAULT_FOLDER): Promise<Look> {
  if (!existsSync(folder)) return 'there is no folder with migrations';
  const { applied, pending, unfinished, faults } = await migrationStatus(db, { folder });
  if (unfinished !== undefined) return { status: 'failed', message: `${unfinished.name} was left halfway` };
  if (faults.length > 0)
    return { status: 'failed', message: faults.map(({ message }) => message).join('; ') };
  return warnIf(
    pending.length > 0,
    `${pending.length} are pending`,
    `${applied.length} applied, none pending`,
  );
}
