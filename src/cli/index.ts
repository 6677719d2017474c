export { runCli, type Terminal } from './program.ts';
export { ExitCode, type CommandContext, type CommandResult } from './command.ts';
export { copyDatabase, type CopyOptions, type CopyProgress, type CopyResult } from './copy/copy-database.ts';
export { drizzleConfig, type DrizzleConfigOptions } from './drizzle-config-command.ts';
export { examine, type DoctorOptions, type DoctorReport } from './doctor.ts';
export type { Finding } from './finding.ts';
