import { ServerResponse, type OutgoingHttpHeaders } from 'node:http';

export type HeaderEntries = readonly (readonly [name: string, value: string])[];

const PLAN = Symbol('millpond.headers');

type WriteHead = (status: number, ...more: readonly unknown[]) => ServerResponse;
type Planned = ServerResponse & { [PLAN]?: HeaderPlan };

/**
 * Headers that an answer has beside those of its handler. They join them in `writeHead`, where both are one
 * list: kept in a `Headers` they cost ten times as much, and set before by `setHeader` three times.
 */
export class HeaderPlan {
  /** That of the response before there was a plan. */
  readonly writeHead: WriteHead;
  /** Names in lower case, each before its value. A handler's own header wins. */
  #defaults: string[] = [];
  /** The same. They win over a handler's own. */
  readonly #fixed: string[] = [];
  /** A name that `Vary` has in any case. */
  #vary: string | undefined;

  constructor(writeHead: WriteHead) {
    this.writeHead = writeHead;
  }

  /** The last of a name stands. @param entries in which no name comes twice */
  addDefaults(entries: readonly string[]): void {
    if (this.#defaults.length === 0) this.#defaults = [...entries];
    else for (let at = 0; at < entries.length; at += 2) put(this.#defaults, entries[at]!, entries[at + 1]!);
  }

  addDefault(name: string, value: string): void {
    put(this.#defaults, name, value);
  }

  fix(entries: readonly string[], vary: string | undefined): void {
    for (let at = 0; at < entries.length; at += 2) put(this.#fixed, entries[at]!, entries[at + 1]!);
    this.#vary = vary;
  }

  /** One list for `writeHead`, of what it was given and what is planned. */
  listFor(response: ServerResponse, given: unknown): unknown[] {
    const list: unknown[] = [];
    let defaults: readonly string[] = this.#defaults;
    let vary = this.#vary;
    for (const name of response.getHeaderNames()) defaults = without(defaults, name);
    const headers = Array.isArray(given) ? pairsOf(given) : ((given ?? {}) as OutgoingHttpHeaders);
    for (const name in headers) {
      const lower = lowerCaseOf(name);
      if (indexOfName(this.#fixed, lower) >= 0) continue;
      if (indexOfName(defaults, lower) >= 0) defaults = without(defaults, lower);
      if (lower === 'vary' && vary !== undefined) {
        list.push(name, withVary(String(headers[name]), vary));
        vary = undefined;
      } else {
        list.push(name, headers[name]);
      }
    }
    if (vary !== undefined) list.push('vary', vary);
    for (const text of defaults) list.push(text);
    for (const text of this.#fixed) list.push(text);
    return list;
  }
}

/** That of Node's response, made when it is first asked for; undefined for any other kind of response. */
export function headerPlanOf(outgoing: ServerResponse): HeaderPlan | undefined {
  const response: Planned = outgoing;
  const known = response[PLAN];
  if (known !== undefined || !(outgoing instanceof ServerResponse)) return known;
  const plan = new HeaderPlan(response.writeHead.bind(response) as WriteHead);
  response[PLAN] = plan;
  response.writeHead = writePlannedHead;
  return plan;
}

export function flat(entries: HeaderEntries): string[] {
  return entries.flatMap(([name, value]) => [name.toLowerCase(), value]);
}

/** A value of `Vary` that has the name, once. */
export function withVary(given: string, name: string): string {
  const names = given.toLowerCase().split(',');
  const has = names.some((one) => one.trim() === '*' || one.trim() === name.toLowerCase());
  return has ? given : `${given}, ${name}`;
}

/** https://nodejs.org/api/http.html#responsewriteheadstatuscode-statusmessage-headers */
function writePlannedHead(
  this: Planned,
  status: number,
  message?: unknown,
  headers?: unknown,
): ServerResponse {
  const plan = this[PLAN]!;
  if (typeof message !== 'string') return plan.writeHead(status, plan.listFor(this, message));
  return plan.writeHead(status, message, plan.listFor(this, headers));
}

/** Node takes a list of names and values, too, or one of pairs, in which a name may come again. */
function pairsOf(given: readonly unknown[]): OutgoingHttpHeaders {
  const flatList = Array.isArray(given[0]) ? given.flat() : given;
  const headers: Record<string, string[]> = {};
  for (let at = 0; at + 1 < flatList.length; at += 2) {
    const name = String(flatList[at]);
    headers[name] = [...(headers[name] ?? []), String(flatList[at + 1])];
  }
  return headers;
}

function indexOfName(list: readonly string[], name: string): number {
  for (let at = 0; at < list.length; at += 2) if (list[at] === name) return at;
  return -1;
}

function put(list: string[], name: string, value: string): void {
  const at = indexOfName(list, name);
  if (at < 0) list.push(name, value);
  else list[at + 1] = value;
}

function without(list: readonly string[], name: string): readonly string[] {
  const at = indexOfName(list, name);
  return at < 0 ? list : list.toSpliced(at, 2);
}

/** Names of headers are few, and the same ones again and again. */
const lowerCases = new Map<string, string>();
const MOST_NAMES = 500;

function lowerCaseOf(name: string): string {
  const known = lowerCases.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (lowerCases.size < MOST_NAMES) lowerCases.set(name, lower);
  return lower;
}
