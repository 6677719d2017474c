import type { Variables } from './dotenv.ts';
import type { Address, Layer, Setting } from './layer.ts';
import { showKey, showValue, type Problems } from './problems.ts';
import { editDistance, suggest } from './suggest.ts';
import { readSetting, type TextName } from './text-names.ts';
import { unknownKey } from './unknown-key.ts';

/** The variables that set options of every database of the process. A bare number is a count, or seconds. */
export const OPTION_VARIABLES: Readonly<Record<string, TextName>> = {
  DB_POOL_MAX: { option: 'pool.max', unit: 's' },
  DB_POOL_IDLE_TIMEOUT: { option: 'pool.idleTimeoutMs', unit: 's' },
  DB_HEALTH_CHECK_ENABLED: { option: 'healthCheck.enabled', unit: 's' },
  DB_HEALTH_CHECK_INTERVAL: { option: 'healthCheck.intervalMs', unit: 's' },
  DB_HEALTH_CHECK_RECONNECT: { option: 'healthCheck.reconnect', unit: 's' },
  DB_HEALTH_CHECK_MAX_RETRIES: { option: 'healthCheck.maxRetries', unit: 's' },
  DB_HEALTH_CHECK_RETRY_INTERVAL: { option: 'healthCheck.retryIntervalMs', unit: 's' },
  TRANSACTION_TIMEOUT: { option: 'transactionTimeoutMs', unit: 's' },
  MILLPOND_POOLED: { option: 'pooled', unit: 's' },
  AUTO_MIGRATE: { option: 'autoMigrate', unit: 's' },
};

/** The variables that set options of 'main' alone: another database has migrations of its own. */
const MAIN_ONLY: readonly string[] = ['AUTO_MIGRATE'];

/** The variables that hold addresses, those of 'main'. */
export const ADDRESS_VARIABLES: readonly string[] = [
  'DATABASE_URL',
  'DATABASE_WRITE_URL',
  'DATABASE_READ_URL',
  'DATABASE_REPLICA_URL',
];

/** Variables that other folders of ours read. */
const OTHER_VARIABLES: readonly string[] = ['MILLPOND_MONITOR_TOKEN'];

/** A name that begins like this is ours; one that we do not know is a mistake, not another program's. */
const OUR_NAMES = /^(?:DB_POOL|DB_HEALTH_CHECK|MILLPOND_)/;

/** What the environment says about a database. The addresses there are those of 'main' alone. */
export function readEnvironment(variables: Variables, isMain: boolean, problems: Problems): Layer {
  refuseUnknown(variables, problems);
  const settings = Object.entries(OPTION_VARIABLES).flatMap(([key, name]): Setting[] => {
    const variable = isMain || !MAIN_ONLY.includes(key) ? variables.get(key) : undefined;
    if (variable === undefined) return [];
    const { value, source } = variable;
    return readSetting(name, { key, source, text: value, shown: showValue(value) }, problems);
  });
  const addresses = isMain ? ADDRESS_VARIABLES.map((key) => addressesAt(key, variables, problems)) : [];
  const [url = [], writeUrl = [], readUrls = [], replicaUrls = []] = addresses;
  return { settings, url: url[0], writeUrl: writeUrl[0], readUrls: [...readUrls, ...replicaUrls] };
}

/** Where no address was found: a variable that looks like a misspelt one, such as `DATABSE_URL`. */
export function findMisspeltAddress(variables: Variables): { name: string; meant: string } | undefined {
  for (const name of variables.keys()) {
    const meant = ADDRESS_VARIABLES.includes(name) ? undefined : suggest(name, ADDRESS_VARIABLES);
    if (meant !== undefined) return { name, meant };
  }
  return undefined;
}

function refuseUnknown(variables: Variables, problems: Problems): void {
  const known = Object.keys(OPTION_VARIABLES);
  for (const [key, { source }] of variables) {
    if (Object.hasOwn(OPTION_VARIABLES, key) || OTHER_VARIABLES.includes(key)) continue;
    const isOurs = OUR_NAMES.test(key) || editDistance(key.slice(0, 100), 'TRANSACTION_TIMEOUT') <= 2;
    if (isOurs) problems.add({ key: showKey(key), source }, unknownKey(key, known, 'a variable of millpond'));
  }
}

/** One address, or of the variables for readers a list with commas. */
function addressesAt(key: string, variables: Variables, problems: Problems): Address[] {
  const variable = variables.get(key);
  if (variable === undefined) return [];
  const isList = key === 'DATABASE_READ_URL' || key === 'DATABASE_REPLICA_URL';
  const urls = isList ? variable.value.split(',').map((url) => url.trim()) : [variable.value];
  if (urls.every((url) => url !== '')) return urls.map((url) => ({ url, key, source: variable.source }));
  problems.add(
    { key, source: variable.source },
    `is empty${isList ? ' in one of its places' : ''}; remove it, or give it a database URL`,
  );
  return [];
}
