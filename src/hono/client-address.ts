import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import type { Context } from 'hono';
import { nodeBindings } from './node-bindings.ts';
import type { Check } from './option-checks.ts';

/** The address of the client of a request; undefined where there is no socket. */
export type ClientAddress = (context: Context) => string | undefined;

/** Entries of `X-Forwarded-For` that are looked at, from the last: a chain of proxies is never longer. */
const MOST_HOPS = 20;
/** IPv4 addresses as an IPv6 network sees them: https://www.rfc-editor.org/rfc/rfc6052#section-2.1 */
const TRANSLATED = '64:ff9b:0:0:0:0';
const MAPPED = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i;

/** An address, or a network as `10.0.0.0/8`. */
export const networkCheck: Check = (value) => {
  const fault = 'must be an IP address or a network like "10.0.0.0/8"';
  if (typeof value !== 'string') return fault;
  const [address, bits, more] = value.split('/');
  const version = isIP(address!);
  if (version === 0 || more !== undefined) return fault;
  if (bits === undefined) return undefined;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128) ? undefined : fault;
};

/**
 * Whose request it is. `X-Forwarded-For` counts only where the peer is one of the named proxies, and then
 * only the last entry that none of them wrote about another of them: everything before it can be invented by
 * the client.
 */
export function clientAddressBehind(trustedProxies: readonly string[] = []): ClientAddress {
  const chain = new ProxyChain(trustedProxies);
  return (context) => {
    const incoming = nodeBindings(context)?.incoming;
    if (incoming === undefined) return undefined;
    return chain.clientOf(incoming.socket, () => context.req.header('x-forwarded-for'));
  };
}

/** The same of a request as Node has it. */
export function incomingAddressBehind(
  trustedProxies: readonly string[] = [],
): (incoming: IncomingMessage) => string | undefined {
  const chain = new ProxyChain(trustedProxies);
  // Node joins several with commas: https://nodejs.org/api/http.html#messageheaders
  return ({ socket, headers }) => chain.clientOf(socket, () => headers['x-forwarded-for']?.toString());
}

class ProxyChain {
  readonly #trusted = new BlockList();
  readonly #isEmpty: boolean;

  constructor(proxies: readonly string[]) {
    this.#isEmpty = proxies.length === 0;
    for (const proxy of proxies) addNetwork(this.#trusted, proxy);
  }

  clientOf(socket: Socket, forwardedFor: () => string | undefined): string | undefined {
    const peer = peerOf(socket);
    if (peer === undefined || this.#isEmpty || !this.#isTrusted(peer)) return peer;
    const forwarded = forwardedFor();
    return forwarded === undefined
      ? peer
      : lastUntrusted(forwarded, peer, (address) => this.#isTrusted(address));
  }

  #isTrusted(address: string): boolean {
    return this.#trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }
}

/**
 * What counts as one client for limits: an IPv4 address, or the /64 of an IPv6 one, of which a single
 * household has all 2⁶⁴ addresses.
 */
export function clientNetwork(address: string): string {
  // The colon is looked for first: Node tells the kinds of addresses apart by large regular expressions.
  if (!address.includes(':') || !isIPv6(address)) return address;
  const groups = groupsOf(address);
  // Behind a translator every IPv4 client of the world comes from this one /64.
  if (groups.slice(0, 6).join(':') === TRANSLATED) return groups.join(':');
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** The other end of a connection is the same for all its requests. */
const peers = new WeakMap<Socket, string>();

function peerOf(socket: Socket): string | undefined {
  const known = peers.get(socket);
  if (known !== undefined) return known;
  const peer = readAddress(socket.remoteAddress);
  if (peer !== undefined) peers.set(socket, peer);
  return peer;
}

function lastUntrusted(forwarded: string, peer: string, isTrusted: (address: string) => boolean): string {
  let client = peer;
  for (const entry of forwarded.split(',').slice(-MOST_HOPS).reverse()) {
    const address = readAddress(entry.trim());
    // Nothing before this entry can be believed.
    if (address === undefined) return client;
    client = address;
    if (!isTrusted(address)) return client;
  }
  return client;
}

/** Without a port, brackets or a zone; an IPv4 address also where a dual socket shows it as an IPv6 one. */
function readAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 60) return undefined;
  const bare = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1] ?? /^([\d.]+):\d{1,5}$/.exec(text)?.[1] ?? text;
  const address = bare.replace(/%.*$/, '');
  if (isIP(address) === 0) return undefined;
  if (!isIPv6(address)) return address;
  const mapped = MAPPED.exec(address)?.[1] ?? mappedInHex(address);
  return mapped ?? address.toLowerCase();
}

/** `::ffff:102:304` is 1.2.3.4 as well. */
function mappedInHex(address: string): string | undefined {
  const groups = groupsOf(address);
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') return undefined;
  const [high, low] = [Number.parseInt(groups[6]!, 16), Number.parseInt(groups[7]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight groups, without leading zeros: one spelling for each address. */
function groupsOf(address: string): string[] {
  // The parser of URLs writes every IPv6 address in its one canonical form.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head, tail] = canonical.split('::');
  const left = head === '' ? [] : head!.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}

function addNetwork(list: BlockList, network: string): void {
  const [address, bits] = network.split('/') as [string, string | undefined];
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
}
