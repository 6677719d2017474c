import type { Database } from '../database/index.ts';
import { UsageError } from '../errors/index.ts';
import { ANY_TABLE, tableLabel, UNKNOWN_TABLES, type Label } from './labels.ts';

/** The channel that the triggers of `changeTriggers` notify, unless another is given. */
export const CHANNEL = 'millpond_changes';

/** What follows NOTIFY, until it is closed. */
export interface Notifications {
  close(): Promise<void>;
}

/** What a cache needs of its database to learn of changes that others make. */
export type Listening = Pick<Database, 'listen'>;

export interface ChangeTriggersOptions {
  /** Letters, digits and `_`. @default 'millpond_changes' */
  readonly channel?: string | undefined;
}

/**
 * SQL for PostgreSQL, for a migration: triggers that report every change of these tables, whoever makes it,
 * to the caches that `followNotifications`. One notification for each changed table and transaction, at
 * COMMIT. Needs PostgreSQL 14; may be run again.
 */
export function changeTriggers(
  tables: readonly string[],
  { channel = CHANNEL }: ChangeTriggersOptions = {},
): string {
  if (!/^[a-z_]\w{0,62}$/i.test(channel))
    throw new UsageError('The channel is a name of up to 63 letters, digits and "_".');
  // Equal notifications of one transaction are delivered once:
  // https://www.postgresql.org/docs/current/sql-notify.html
  const announce = `create or replace function millpond_changed() returns trigger language plpgsql as $body$
begin
  perform pg_notify(tg_argv[0], tg_table_name);
  return null;
end
$body$;
`;
  const triggers = tables.map(
    (table) =>
      'create or replace trigger millpond_changed after insert or update or delete or truncate ' +
      `on ${quoted(table)} for each statement execute function millpond_changed('${channel}');\n`,
  );
  return announce + triggers.join('');
}

/** Drops what depends on a table when told that the table has changed, and everything after a gap. */
export async function followNotifications(
  database: Listening,
  channel: string,
  onChange: (labels: readonly Label[]) => void,
): Promise<Notifications> {
  return database.listen(channel, (message) => {
    const isNamed = message.kind === 'notification' && message.payload !== '';
    onChange(isNamed ? [tableLabel(message.payload), UNKNOWN_TABLES] : [ANY_TABLE]);
  });
}

/** `schema.table` as two names; a name that contains a point is not possible. */
function quoted(table: string): string {
  if (typeof table !== 'string' || !/^[^.\0]+(\.[^.\0]+)?$/.test(table))
    throw new UsageError('A table is given as its name, or as schema.name.');
  return table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}
