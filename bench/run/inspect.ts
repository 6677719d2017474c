import type { PeerName, Synchronous } from '../peers/index.ts';
import type { CellAnswer } from './cell.ts';

/** What is read back from every peer's connection before anything is measured. */
export const SETTINGS = [
  'journal_mode',
  'synchronous',
  'foreign_keys',
  'cache_size',
  'mmap_size',
  'page_size',
] as const;

export interface Inspection {
  /** Of a server that all peers ask: its version, and its settings that matter. */
  readonly server?: string;
  readonly sqliteVersions: Readonly<Partial<Record<PeerName, string>>>;
  /** Peers whose connections are not set as the others' are: the reader of the figures must know. */
  readonly differences: readonly string[];
}

const EXPECTED: Readonly<Record<Synchronous, Readonly<Record<(typeof SETTINGS)[number], unknown>>>> = {
  full: expected(2),
  normal: expected(1),
};

/** Opens every peer at both durabilities and reads its settings back: trust is not a method. */
export async function inspectPeers(
  peers: readonly PeerName[],
  inspect: (peer: PeerName, synchronous: Synchronous) => Promise<CellAnswer>,
): Promise<Inspection> {
  const sqliteVersions: Partial<Record<PeerName, string>> = {};
  const differences: string[] = [];
  for (const peer of peers) {
    for (const synchronous of ['full', 'normal'] as const) {
      const answer = await inspect(peer, synchronous);
      if (answer.kind !== 'inspection') {
        differences.push(
          `${peer}: not inspected: ${answer.kind === 'failure' ? answer.message : answer.kind}`,
        );
        continue;
      }
      sqliteVersions[peer] = String(answer.settings['version']);
      differences.push(
        ...differencesOf(answer.settings, synchronous).map((difference) => `${peer}: ${difference}`),
      );
    }
  }
  return { sqliteVersions, differences: [...new Set(differences)] };
}

function differencesOf(settings: Readonly<Record<string, unknown>>, synchronous: Synchronous): string[] {
  const wanted = EXPECTED[synchronous];
  return SETTINGS.filter((name) => String(settings[name]) !== String(wanted[name])).map(
    (name) => `${name} is ${String(settings[name])} instead of ${String(wanted[name])}`,
  );
}

function expected(synchronous: number): Record<(typeof SETTINGS)[number], unknown> {
  return {
    journal_mode: 'wal',
    synchronous,
    foreign_keys: 1,
    cache_size: -16_384,
    mmap_size: 134_217_728,
    page_size: 4_096,
  };
}
