import { UsageError } from '../errors/index.ts';

const LSN = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/**
 * A place in the server's log: `16/B374D848`. The further one is the larger number.
 * https://www.postgresql.org/docs/current/datatype-pg-lsn.html
 * @throws UsageError
 */
export function parseLsn(text: string): bigint {
  const parts = LSN.exec(text);
  if (parts === null) throw new UsageError('readAfter is what db.lastWrite() gave, such as "16/B374D848".');
  return (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase();
}
