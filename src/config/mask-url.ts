import { isSqliteAddress } from './sqlite-url.ts';

const MASK = '***';

/**
 * An address that may be shown: the password and parameters that sound like secrets are masked. It also has
 * to work for wrong addresses, whose password may hold any character, so anything in doubt is masked too.
 */
export function maskUrl(url: string): string {
  if (isSqliteAddress(url)) return maskParameters(url);
  const parts = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url);
  return parts === null ? MASK : parts[1]! + maskLogin(parts[2]!);
}

/** `rest` is what follows `scheme://`. */
function maskLogin(rest: string): string {
  // The last @, because a password may hold one that should have been encoded.
  const at = rest.lastIndexOf('@');
  if (at === -1) return maskParameters(maskAfterColon(rest));
  const login = rest.slice(0, at);
  // Such a character may as well belong to a password as to a path, so nothing is safe to show.
  if (/[/?#]/.test(login)) return MASK;
  const user = login.split(':')[0]!;
  const password = login.includes(':') ? `:${MASK}` : '';
  return `${user}${password}@${maskParameters(rest.slice(at + 1))}`;
}

/** `user:password` without a host reads like `host:port`; only a number is certain to be a port. */
function maskAfterColon(rest: string): string {
  const isHostAndPort = rest.startsWith('[') || /^[^:/?#]*(?::\d*)?(?:[/?#]|$)/.test(rest);
  return isHostAndPort ? rest : `${rest.split(':')[0]!}:${MASK}`;
}

function maskParameters(text: string): string {
  return text.replaceAll(/([?&][^=&]*(?:pass|pwd|secret|token|key)[^=&]*=)[^&]*/gi, `$1${MASK}`);
}
