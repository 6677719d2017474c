import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import { networkCheck } from './client-address.ts';
import { cors } from './cors.ts';
import { resolveJwtKey } from './jwt-options.ts';
import { checkOptions, list } from './option-checks.ts';
import type { Environment } from './read-environment.ts';
import type { ServerEnvironment } from './server-environment.ts';
import { trustedHostMatcher } from './trusted-hosts.ts';

/** What code says wins, and whether it is right is for the parts to say. */
export type SaidInCode = {
  readonly [Key in 'hosts' | 'trustedProxies' | 'cors' | 'rateLimit' | 'auth']?: unknown;
};

/** What a part calls its option, and the variable that it came from. */
const VARIABLES: Readonly<Record<string, string>> = {
  trustedHosts: 'TRUSTED_HOSTS',
  'createServer.trustedProxies': 'TRUSTED_PROXIES',
  'cors.origins': 'CORS_ORIGINS',
  jwtAuth: 'JWT_SECRET, JWT_PUBLIC_KEY, JWT_JWKS_URL',
  'jwtAuth.issuer': 'JWT_ISSUER',
  'jwtAuth.audience': 'JWT_AUDIENCE',
  'jwtAuth.algorithms': 'JWT_ALGORITHMS',
  'jwtAuth.secret': 'JWT_SECRET',
  'jwtAuth.publicKey': 'JWT_PUBLIC_KEY',
  'jwtAuth.jwksUrl': 'JWT_JWKS_URL',
};

/**
 * What is wrong with what the environment says, beyond what each variable can be by itself: asked of the
 * parts that will have it, and told by the names of the variables. What code says instead is not looked at.
 */
export function environmentFaults(
  said: ServerEnvironment,
  code: SaidInCode,
  environment: Environment,
): ConfigProblem[] {
  const { hosts, trustedProxies, corsOrigins, auth } = said;
  return [
    ...faultsOf(code.hosts, hosts, trustedHostMatcher),
    ...faultsOf(code.trustedProxies, trustedProxies, checkProxies),
    ...faultsOf(code.cors, corsOrigins, (origins) => cors({ origins })),
    ...faultsOf(code.auth, auth, resolveJwtKey),
    ...(code.rateLimit === undefined ? loneWindow(environment) : []),
  ];
}

function faultsOf<Value>(
  code: unknown,
  said: Value | undefined,
  check: (value: Value) => unknown,
): ConfigProblem[] {
  if (code !== undefined || said === undefined) return [];
  try {
    check(said);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, message }) => ({
      key: toVariable(key),
      message,
      source: 'environment',
    }));
  }
}

/** `trustedHosts[1]` → `TRUSTED_HOSTS[1]`. */
function toVariable(key: string): string {
  const [place = '', index] = key.split(/(?=\[)/);
  return `${VARIABLES[place] ?? place}${index ?? ''}`;
}

function checkProxies(trustedProxies: readonly string[]): void {
  checkOptions('createServer', { trustedProxies }, { trustedProxies: list(networkCheck) });
}

/** It would do nothing. */
function loneWindow({ RATE_LIMIT_MAX: max, RATE_LIMIT_WINDOW: window }: Environment): ConfigProblem[] {
  const isSet = (text: string | undefined) => (text?.trim() ?? '') !== '';
  if (!isSet(window) || isSet(max)) return [];
  return [
    { key: 'RATE_LIMIT_WINDOW', message: 'does nothing without RATE_LIMIT_MAX', source: 'environment' },
  ];
}
