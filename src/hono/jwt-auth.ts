import type { Context, MiddlewareHandler } from 'hono';
import type * as Jose from 'jose';
import { KeySetError, KeySetFetch } from './key-set-fetch.ts';
import { resolveJwtKey, type JwtAuthOptions, type JwtKey } from './jwt-options.ts';
import { loadPeer } from './optional-peer.ts';
import { setUser, unauthorized, type User } from './user.ts';

const LONGEST_TOKEN = 8_192;
const LONGEST_SUBJECT = 255;
/** The alphabet of base64url alone: decoders are more lenient, and one token must not have many spellings. */
const BEARER = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;
const KEY_SET_TIMEOUT_MS = 3_000;

/**
 * Lets requests with a valid token pass (`Authorization: Bearer …`), and says who they are: `userOf(c)`. The
 * algorithm, the issuer and the audience are fixed; a token without an expiry or a subject is refused. Every
 * refusal is the same 401, and tokens are in no message and no log.
 *
 * @throws ConfigError for wrong options, UsageError where the package `jose` is missing
 */
export function jwtAuth(options: JwtAuthOptions): MiddlewareHandler {
  const key = resolveJwtKey(options);
  const verify = verifier(options, key);
  return async function authenticate(context, next) {
    const header = context.req.header('authorization');
    if (header === undefined) {
      if (options.optional !== true) throw unauthorized();
      return next();
    }
    const token = header.length > LONGEST_TOKEN ? undefined : BEARER.exec(header)?.[1];
    const user = token === undefined || !isCanonical(token) ? 'malformed' : await verify(token);
    if (typeof user === 'string') return refuse(context, user, options);
    setUser(context, user);
    return next();
  };
}

function refuse(context: Context, code: string, { log }: JwtAuthOptions): never {
  log?.debug({ reason: code, method: context.req.method }, 'a token was refused');
  throw unauthorized('invalid_token');
}

/** @returns the user, or a word for the log. @throws KeySetError where the keys cannot be had */
type Verify = (token: string) => Promise<User | string>;

function verifier(options: JwtAuthOptions, key: JwtKey): Verify {
  const jose = loadPeer<typeof Jose>('jose', 'jwtAuth');
  const { issuer, audience, algorithms, clockToleranceSeconds: clockTolerance = 5, type } = options;
  const rules = {
    issuer: [issuer].flat(),
    audience: [audience].flat(),
    algorithms: [...algorithms],
    clockTolerance,
    requiredClaims: ['exp', 'sub'],
    ...(type === undefined ? {} : { typ: type }),
  };
  const check = keyCheck(jose, key);
  return async (token) => {
    try {
      const { payload } = await check(token, rules);
      return toUser(payload, options);
    } catch (error) {
      const isKeySet = error instanceof jose.errors.JWKSTimeout || error instanceof jose.errors.JWKSInvalid;
      if (isKeySet) throw new KeySetError('The key set for tokens cannot be used.', error);
      if (error instanceof KeySetError) throw error;
      // Its message may quote the token; its code does not.
      return error instanceof jose.errors.JOSEError ? error.code : 'ERR_UNKNOWN';
    }
  };
}

type KeyCheck = (
  token: string,
  rules: Jose.JWTVerifyOptions,
) => Promise<{ readonly payload: Jose.JWTPayload }>;

function keyCheck(jose: typeof Jose, key: JwtKey): KeyCheck {
  if (key.kind === 'fixed') return (token, rules) => jose.jwtVerify(token, key.key, rules);
  const source = new KeySetFetch();
  const keySet = jose.createRemoteJWKSet(key.url, {
    timeoutDuration: KEY_SET_TIMEOUT_MS,
    [jose.customFetch]: (url, init) => source.fetch(url, init),
  });
  return (token, rules) => jose.jwtVerify(token, keySet, rules);
}

function toUser(claims: Jose.JWTPayload, options: JwtAuthOptions): User | string {
  const { rolesClaim = 'roles', clockToleranceSeconds = 5, maxLifetimeSeconds = 86_400 } = options;
  const { sub, exp, iat } = claims;
  const nowSeconds = Date.now() / 1_000;
  if (typeof sub !== 'string' || sub === '' || sub.length > LONGEST_SUBJECT) return 'subject';
  // 1e999 is a number too, which would never expire.
  if (typeof exp !== 'number' || !(exp <= nowSeconds + maxLifetimeSeconds + clockToleranceSeconds))
    return 'lifetime';
  if (iat !== undefined && !(typeof iat === 'number' && iat <= nowSeconds + clockToleranceSeconds))
    return 'issued at';
  return { id: sub, roles: rolesOf(claims[rolesClaim]), claims };
}

function rolesOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((role) => role !== '');
  return Array.isArray(claim) ? claim.filter((role) => typeof role === 'string') : [];
}

/** The last letter of base64 may hold bits that mean nothing, and could be any of several. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
