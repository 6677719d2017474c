/**
 * Makes sure that the servers which tests start are on this machine: Redis, PostgreSQL 15, PgBouncer, a browser.
 * Installs what is missing with apt-get on Debian and its kin, as root. Elsewhere it says what to install, and succeeds:
 * only the tests that need them fail.
 * Nothing is left running: tests start their own, on free ports, with data that goes with them.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Package → a program that is there once it is installed. */
const PACKAGES: Readonly<Record<string, string>> = {
  'redis-server': 'redis-server',
  'postgresql-15': '/usr/lib/postgresql/15/bin/postgres',
  pgbouncer: 'pgbouncer',
  chromium: 'chromium',
  openssl: 'openssl',
};
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
const POLICY = '/usr/sbin/policy-rc.d';

const missing = Object.keys(PACKAGES).filter((name) => !isThere(PACKAGES[name]!));
if (missing.length > 0 && !mayInstall()) {
  console.error(
    `Some tests will fail, because they start ${missing.join(', ')}, which is not installed here. ` +
      `On Debian and its kin: sudo apt-get install ${missing.join(' ')}`,
  );
} else if (missing.length > 0) {
  install(missing);
}

function isThere(program: string): boolean {
  return program.startsWith('/')
    ? existsSync(program)
    : FOLDERS.some((folder) => existsSync(join(folder, program)));
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

function install(names: readonly string[]): void {
  console.log(`installing ${names.join(', ')}`);
  // Debian's packages start their services unless this says that they may not:
  // https://manpages.debian.org/bookworm/init-system-helpers/invoke-rc.d.8.en.html#INIT_SCRIPT_POLICY
  const hadPolicy = existsSync(POLICY);
  if (!hadPolicy) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    run(['update', '-q']);
    run(['install', '-y', '-q', '--no-install-recommends', ...names]);
  } finally {
    if (!hadPolicy) rmSync(POLICY, { force: true });
  }
}

function run(args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync('apt-get', args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  });
  if (status === 0) return;
  throw new Error(`apt-get ${args.join(' ')} failed: ${error?.message ?? `${stdout}\n${stderr}`}`);
}
