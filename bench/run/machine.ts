import { execFileSync } from 'node:child_process';
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { medianOf } from '../harness/statistics.ts';

/** Where and with what a run was made. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly fileSystem: string;
  /** Median time to make one 4 KB write durable in the data directory: the price of FULL on this disk. */
  readonly syncUs: number;
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit?: string;
}

/** Magic numbers of statfs(2). */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x794c7630, 'overlay'],
  [0x01021994, 'tmpfs'],
]);

export function describeMachine(directory: string, packages: readonly string[]): Machine {
  const root = new URL('../../', import.meta.url);
  const commit = commitOf(root);
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    fileSystem: fileSystemOf(directory),
    syncUs: measureSyncUs(directory),
    loadBefore: loadavg()[0]!,
    versions: {
      millpond: versionIn(new URL('package.json', root)),
      node: process.versions.node,
      ...Object.fromEntries(
        packages.map((name) => [name, versionIn(new URL(`node_modules/${name}/package.json`, root))]),
      ),
    },
    ...(commit !== undefined && { commit }),
  };
}

function versionIn(packageJson: URL): string {
  return (JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }).version;
}

/** A clone without git, or an unpacked archive, has none. */
function commitOf(root: URL): string | undefined {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

function fileSystemOf(directory: string): string {
  const { type: magic } = statfsSync(directory);
  return FILE_SYSTEMS.get(magic) ?? `type 0x${magic.toString(16)}`;
}

function measureSyncUs(directory: string): number {
  const file = join(directory, 'sync-probe');
  const page = Buffer.alloc(4_096, 1);
  const handle = openSync(file, 'w');
  const times: number[] = [];
  for (let index = 0; index < 200; index++) {
    writeSync(handle, page, 0, page.length, (index % 50) * page.length);
    const before = performance.now();
    fdatasyncSync(handle);
    times.push((performance.now() - before) * 1_000);
  }
  closeSync(handle);
  rmSync(file);
  return Math.round(medianOf(times));
}
