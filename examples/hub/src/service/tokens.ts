import type { MiddlewareHandler } from 'hono';
import { SignJWT } from 'jose';
import { jwtAuth } from '../millpond/hono.ts';

const ISSUER = 'hub';
const ALGORITHM = 'HS256';
const LIFETIME_SECONDS = 3600;

/** Gives tokens, and lets those who bring one pass. */
export interface Tokens {
  readonly lifetimeSeconds: number;
  /** For routes that are for users: `userOf(c)` says which. */
  readonly required: MiddlewareHandler;
  sign(userId: number): Promise<string>;
}

/** @param secret of 32 bytes at least; whoever has it is every user */
export function createTokens(secret: string): Tokens {
  const key = new TextEncoder().encode(secret);
  return {
    lifetimeSeconds: LIFETIME_SECONDS,
    required: jwtAuth({ issuer: ISSUER, audience: ISSUER, algorithms: [ALGORITHM], secret }),
    sign: (userId) =>
      new SignJWT()
        .setProtectedHeader({ alg: ALGORITHM })
        .setIssuer(ISSUER)
        .setAudience(ISSUER)
        .setSubject(String(userId))
        .setIssuedAt()
        .setExpirationTime(`${LIFETIME_SECONDS} seconds`)
        .sign(key),
  };
}
