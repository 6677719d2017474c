import { createPublicKey, type KeyObject } from 'node:crypto';
import { ConfigError, type ConfigProblem } from '../errors/index.ts';
import {
  flag,
  integer,
  list,
  oneOf,
  optionProblems,
  problem,
  text,
  either,
  logger,
  type Check,
} from './option-checks.ts';
import type { Logger } from '../config/index.ts';

const SYMMETRIC = ['HS256', 'HS384', 'HS512'] as const;
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

export type JwtAlgorithm = (typeof SYMMETRIC)[number] | (typeof ASYMMETRIC)[number];

export interface JwtAuthOptions {
  /** Who must have issued the token. */
  readonly issuer: string | readonly string[];
  /** Whom the token must be for. */
  readonly audience: string | readonly string[];
  /** The only ones accepted, whatever a token says of itself. */
  readonly algorithms: readonly JwtAlgorithm[];
  /** One of the three: the secret of HS algorithms, of at least 32 bytes … */
  readonly secret?: string | Uint8Array | undefined;
  /** … a public key as PEM … */
  readonly publicKey?: string | undefined;
  /** … or where the issuer publishes its keys: https, or http on this machine. */
  readonly jwksUrl?: string | undefined;
  /** Requests without a token pass, without a user. A wrong token is refused all the same. @default false */
  readonly optional?: boolean | undefined;
  /** The claim that holds roles: a list, or words in a text. @default 'roles' */
  readonly rolesClaim?: string | undefined;
  /** How much clocks may differ, in seconds. @default 5 */
  readonly clockToleranceSeconds?: number | undefined;
  /** Tokens that are valid for longer from now are refused, in seconds. @default 86_400 */
  readonly maxLifetimeSeconds?: number | undefined;
  /** The media type in the token's header, where the issuer sets one (`at+jwt`). @default any */
  readonly type?: string | undefined;
  /** Told by code why tokens were refused; never the token. @default nowhere */
  readonly log?: Pick<Logger, 'debug'> | undefined;
}

/** Where the key comes from. */
export type JwtKey =
  | { readonly kind: 'fixed'; readonly key: Uint8Array | KeyObject }
  | { readonly kind: 'url'; readonly url: URL };

const LEAST_SECRET_BYTES = 32;
const KEYS = ['secret', 'publicKey', 'jwksUrl'] as const;
const YEAR_SECONDS = 31_622_400;
const names = either(text(), list(text(), 20));
const secretCheck: Check = (value) => {
  const bytes =
    typeof value === 'string' || value instanceof Uint8Array ? Buffer.from(value as string).length : 0;
  if (bytes < LEAST_SECRET_BYTES) return `must have at least ${LEAST_SECRET_BYTES} bytes`;
  // Whoever has the public key could sign with it: https://www.rfc-editor.org/rfc/rfc8725#section-2.1
  return Buffer.from(value as string).includes('-----BEGIN ')
    ? 'is a key as PEM, no secret: give it as publicKey, with RS, PS, ES or Ed algorithms'
    : undefined;
};
const CHECKS = {
  issuer: names,
  audience: names,
  algorithms: list(oneOf([...SYMMETRIC, ...ASYMMETRIC]), 20),
  secret: secretCheck,
  publicKey: (value: unknown) =>
    toPublicKey(value) === undefined ? 'must be a public key as PEM' : undefined,
  jwksUrl: (value: unknown) =>
    toKeySetUrl(value) === undefined ? 'must be an https URL, or an http one on this machine' : undefined,
  optional: flag,
  rolesClaim: text(100),
  clockToleranceSeconds: integer(0, 300),
  maxLifetimeSeconds: integer(1, YEAR_SECONDS),
  type: text(100),
  log: logger('debug'),
};

/** @throws ConfigError listing every fault; it shows no secret */
export function resolveJwtKey(given: JwtAuthOptions): JwtKey {
  const problems = [...optionProblems('jwtAuth', given, CHECKS), ...contradictions(given)];
  if (problems.length > 0) throw new ConfigError(problems);
  if (given.jwksUrl !== undefined) return { kind: 'url', url: toKeySetUrl(given.jwksUrl)! };
  if (given.publicKey !== undefined) return { kind: 'fixed', key: toPublicKey(given.publicKey)! };
  return { kind: 'fixed', key: Buffer.from(given.secret as string) };
}

function contradictions(given: JwtAuthOptions): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const key of ['issuer', 'audience', 'algorithms'] as const) {
    if (given[key] === undefined || given[key].length === 0)
      problems.push(problem(`jwtAuth.${key}`, 'is missing'));
  }
  if (KEYS.filter((key) => given[key] !== undefined).length !== 1) {
    return [...problems, problem('jwtAuth', `needs exactly one of ${KEYS.join(', ')}`)];
  }
  // A public key taken for a secret lets everybody sign: https://www.rfc-editor.org/rfc/rfc8725#section-2.1
  const wrong: readonly string[] = given.secret === undefined ? SYMMETRIC : ASYMMETRIC;
  const foreign = Array.isArray(given.algorithms)
    ? (given.algorithms as readonly string[]).filter((name) => wrong.includes(name))
    : [];
  if (foreign.length > 0) {
    const kind = given.secret === undefined ? 'a public key' : 'a secret';
    problems.push(problem('jwtAuth.algorithms', `do not go with ${kind}: ${foreign.join(', ')}`));
  }
  const key = toPublicKey(given.publicKey);
  return key === undefined ? problems : [...problems, ...misfits(key, given.algorithms)];
}

/** Of each curve the algorithm that it has: https://www.rfc-editor.org/rfc/rfc7518#section-3.4 */
const BY_CURVE: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
/** https://www.rfc-editor.org/rfc/rfc7518#section-3.3 */
const LEAST_RSA_BITS = 2_048;

/** With a key of another kind every token would be refused, and only each refusal would say so. */
function misfits(key: KeyObject, algorithms: unknown): ConfigProblem[] {
  const { modulusLength = LEAST_RSA_BITS, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  const fits = (name: string): boolean => {
    if (key.asymmetricKeyType === 'rsa') return /^[RP]S/.test(name);
    if (key.asymmetricKeyType === 'ed25519') return name.startsWith('Ed');
    return BY_CURVE[namedCurve] === name;
  };
  const wrong = Array.isArray(algorithms)
    ? ASYMMETRIC.filter((name) => algorithms.includes(name) && !fits(name))
    : [];
  const kind = [key.asymmetricKeyType, namedCurve].join(' ').trim();
  return [
    ...(wrong.length === 0
      ? []
      : [problem('jwtAuth.algorithms', `do not go with a public key of type ${kind}: ${wrong.join(', ')}`)]),
    ...(modulusLength < LEAST_RSA_BITS
      ? [problem('jwtAuth.publicKey', `must have at least ${LEAST_RSA_BITS} bits`)]
      : []),
  ];
}

function toPublicKey(value: unknown): KeyObject | undefined {
  if (typeof value !== 'string' || !value.includes('PUBLIC KEY')) return undefined;
  try {
    return createPublicKey(value);
  } catch {
    // It does not help to say in which of many ways it is not a key.
    return undefined;
  }
}

function toKeySetUrl(value: unknown): URL | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url === null || url.username !== '' || url.password !== '') return undefined;
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal) ? url : undefined;
}
