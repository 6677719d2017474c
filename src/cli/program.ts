import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ExitCode, type CommandContext, type CommandResult } from './command.ts';
import { reportError } from './report-error.ts';
import { millpondVersion } from './version.ts';

/** Where the text of a run goes. */
export interface Terminal {
  readonly isTty: boolean;
  out(text: string): void;
  error(text: string): void;
}

interface GlobalFlags {
  readonly url?: string;
  readonly name?: string;
  readonly json?: boolean;
}

/** Loads a command and calls it. Each is loaded when it is called: `--help` needs none of them. */
type Call = (context: CommandContext, args: readonly string[], flags: Flags) => Promise<CommandResult>;
/** What commander read; each command's own options, which its function names. */
type Flags = Record<string, never>;

/** Runs the command line. Never rejects. @returns the code with which the process should end */
export async function runCli(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const on =
    (call: Call) =>
    async (...given: unknown[]): Promise<void> => {
      const command = given.at(-1) as Command;
      exitCode = await runCommand(call, command, { terminal, signal });
    };
  const program = createProgram(on, terminal);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return ExitCode.ok;
    const { code, message } = error;
    if (argv.includes('--json')) terminal.out(toJson({ ok: false, error: { code, message } }));
    return ExitCode.usage;
  }
}

async function runCommand(
  call: Call,
  command: Command,
  { terminal, signal }: { readonly terminal: Terminal; readonly signal: AbortSignal },
): Promise<number> {
  const flags = command.optsWithGlobals<GlobalFlags>();
  const json = flags.json === true;
  const context = { url: flags.url, name: flags.name, json, isTty: terminal.isTty && !json, signal };
  try {
    const { json: result, text, exitCode = ExitCode.ok } = await call(context, command.args, flags as Flags);
    if (json) terminal.out(toJson({ ok: exitCode === ExitCode.ok, ...result }));
    else if (text !== '') terminal.out(text);
    return exitCode;
  } catch (error) {
    const report = reportError(signal.aborted ? signal.reason : error);
    if (json) terminal.out(toJson({ ok: false, error: report.json }));
    else terminal.error(report.text);
    return report.exitCode;
  }
}

function toJson(value: object): string {
  return JSON.stringify(value, undefined, 2);
}

function createProgram(
  on: (call: Call) => (...given: unknown[]) => Promise<void>,
  terminal: Terminal,
): Command {
  const program = new Command('millpond')
    .description('A data-access layer for TypeScript servers: its migrations, checks and tools.')
    .version(millpondVersion())
    .option('--url <url>', 'the database (default: DATABASE_URL, then the configuration file)')
    .option('--name <name>', 'which database of the configuration')
    .option('--json', 'one JSON document on standard output')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.error(text.trimEnd()),
    });
  addMigrate(program, on);
  addQueries(program, on);
  addTools(program, on);
  addCodeTools(program, on);
  return program;
}

type On = (call: Call) => (...given: unknown[]) => Promise<void>;

function addMigrate(program: Command, on: On): void {
  const load = () => import('./migrate-command.ts');
  const migrate = program.command('migrate').description('applies, undoes and checks migrations');
  const add = (name: string, description: string): Command =>
    migrate
      .command(name)
      .description(description)
      .option('--folder <path>', 'of the SQL files, or drizzle-kit\'s out (default: "migrations")')
      .option('--table <name>', 'the table that keeps the history (default: "millpond_migrations")');
  const lock = new Option(
    '--lock-timeout <ms>',
    'longest wait for another runner (default: 60000)',
  ).argParser(wholeNumber);
  add('up', 'applies what is pending')
    .option('--to <name>', 'the last one to apply')
    .option('--dry-run', 'says what would be done')
    .addOption(lock)
    .action(on(async (context, _, flags) => (await load()).migrateUp(context, flags)));
  add('down', 'undoes the last one')
    .addOption(new Option('--count <n>', 'how many to undo').argParser(wholeNumber).conflicts('to'))
    .option('--to <name>', 'the last one that stays')
    .option('--dry-run', 'says what would be done')
    .option('--yes', 'asks nothing')
    .addOption(lock)
    .action(on(async (context, _, flags) => (await load()).migrateDown(context, flags)));
  add('status', 'what is applied and what is pending; exit code 1 where anything is').action(
    on(async (context, _, flags) => (await load()).migrateStatus(context, flags)),
  );
  add('verify', "compares the folder with the database's history").action(
    on(async (context, _, flags) => (await load()).migrateVerify(context, flags)),
  );
  add('baseline [name]', 'enters migrations that the database has already, up to this one')
    .addOption(lock)
    .action(on(async (context, [to], flags) => (await load()).migrateBaseline(context, { ...flags, to })));
  add('resolve <name>', 'tells how a migration without a transaction ended that was left halfway')
    .addOption(new Option('--applied', 'it is there').conflicts('notApplied'))
    .option('--not-applied', 'nothing of it is left')
    .action(on(async (context, [name], flags) => (await load()).migrateResolve(context, name!, flags)));
  migrate
    .command('new <words...>')
    .description('writes the empty files of a new one')
    .option('--folder <path>', 'where to (default: "migrations")')
    .option('--no-down', 'without a file for the way back')
    .action(on(async (_, words, flags) => (await load()).migrateNew(words.join(' '), flags)));
}

function addTools(program: Command, on: On): void {
  program
    .command('init [folder]')
    .description('writes a service that works, in an empty folder')
    .action(
      on(async (_, [folder = '.']) =>
        (await import('./init-command.ts')).initCommand(folder, millpondVersion()),
      ),
    );
  program
    .command('doctor')
    .description('looks at the database and at what it stands on')
    .option('--full', 'compares every index of a SQLite file with its table')
    .action(on(async (context, _, flags) => (await import('./doctor.ts')).doctorCommand(context, flags)));
  program
    .command('build-native')
    .description('builds the extension that stops running SQLite statements, with a C compiler')
    .action(on(async () => (await import('./build-native-command.ts')).buildNativeCommand()));
  program
    .command('backup <file>')
    .description('copies a SQLite database, as it is at one moment, while it is used')
    .option('--overwrite', 'replaces a file of that name')
    .option('--no-check', 'does not open and check the copy')
    .action(
      on(async (context, [file], flags) =>
        (await import('./backup-command.ts')).backupCommand(context, file!, flags),
      ),
    );
  program
    .command('copy <source> <target>')
    .description('copies a SQLite database into PostgreSQL, verified: all of it or nothing')
    .action(
      on(async (context, [source, target]) =>
        (await import('./copy-command.ts')).copyCommand(context, source!, target!),
      ),
    );
}

/** For the code of an application. */
function addCodeTools(program: Command, on: On): void {
  program
    .command('query <name>')
    .description('runs one named query of the SQL files')
    .addOption(new Option('--param <name=value>', 'may be repeated').argParser(collect))
    .option('--folder <path>', 'of the SQL files (default: "sql")')
    .action(
      on(async (context, [name], flags) =>
        (await import('./query-command.ts')).queryCommand(context, name!, flags),
      ),
    );
  program
    .command('codemod <paths...>')
    .description('moves code from better-sqlite3 or node:sqlite to a pool, and says what is left')
    .option('--dry-run', 'says what would change, and writes nothing')
    .option('--check', 'the same; exit code 1 where anything would change')
    .action(
      on(async (_, paths, flags) => (await import('./codemod-command.ts')).codemodCommand(paths, flags)),
    );
  program
    .command('drizzle-config')
    .description('writes drizzle.config.ts for the database')
    .option('--schema <path>', 'where the tables are declared (default: "./src/schema.ts")')
    .option('--out <path>', 'the folder for migrations (default: "./migrations")')
    .option('--file <path>', 'what to write (default: "drizzle.config.ts")')
    .option('--force', 'replaces the file')
    .action(
      on(async (context, _, flags) =>
        (await import('./drizzle-config-command.ts')).drizzleConfigCommand(context, flags),
      ),
    );
}

function addQueries(program: Command, on: On): void {
  const load = () => import('./generate-command.ts');
  const add = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--folder <path>', 'of the SQL files (default: "sql")')
      .option('--out <file>', 'the module (default: queries.ts in the folder)')
      .option('--migrations <folder>', 'make the schema from these (default: init.sql makes it)')
      .option('--server <url>', 'a PostgreSQL on which a database is made for this; or "embedded"')
      .option('--watch', 'again whenever a file changes');
  add('generate', 'writes a module with the types of the SQL files').action(
    on(async (context, _, flags) => (await load()).generateCommand(context, flags)),
  );
  add('check', 'for CI: fails where SQL, schema and module disagree').action(
    on(async (context, _, flags) => (await load()).checkCommand(context, flags)),
  );
  program
    .command('top <url>')
    .description('statements, pools and transactions of a running process, by its monitor')
    .option('--token <token>', 'for the monitor (default: MILLPOND_MONITOR_TOKEN)')
    .addOption(new Option('--interval <ms>', 'between two looks (default: 1000)').argParser(wholeNumber))
    .addOption(new Option('--count <n>', 'statements that are shown (default: 15)').argParser(wholeNumber))
    .action(
      on(async (context, [url], flags) =>
        (await import('./top-command.ts')).topCommand(context, url!, flags),
      ),
    );
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function collect(one: string, earlier: readonly string[] = []): string[] {
  return [...earlier, one];
}
