import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const KEY_BYTES = 32;
const SALT_BYTES = 16;
/** Off the main thread. */
const derive = promisify<string, Buffer, number, Buffer>(scrypt);

/** What is kept instead of a password: the salt and the key, which is slow to make. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, KEY_BYTES);
  return `${salt.toString('base64url')}.${key.toString('base64url')}`;
}

/** Whether `kept` was made of this password. Without `kept`, no; it takes as long. */
export async function verifyPassword(password: string, kept: string | undefined): Promise<boolean> {
  const [salt = '', key = ''] = (kept ?? '').split('.').map((part) => Buffer.from(part, 'base64url'));
  const made = await derive(password, Buffer.from(salt), KEY_BYTES);
  return kept !== undefined && key.length === KEY_BYTES && timingSafeEqual(made, Buffer.from(key));
}
