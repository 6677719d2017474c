import type { ResolvedElasticOptions } from './elastic-options.ts';

export interface BulkRequest extends Pick<ResolvedElasticOptions, 'url' | 'authorization' | 'index'> {
  readonly requestTimeoutMs: number;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}

export interface BulkResult {
  /** Lines to send again: Elasticsearch was away, or had too much to do. */
  readonly retry: readonly string[];
  /** How many lines it will never take. */
  readonly refused: number;
  /** The lines to send again must come in smaller requests. */
  readonly isTooLarge?: boolean;
  readonly failure?: string;
}

interface BulkItem {
  readonly status?: number;
  readonly error?: { readonly type?: string };
}

const TOO_LARGE = 413;
const TOO_MANY = 429;
const FAULT = 400;
const SERVER_FAULT = 500;
/** Only the parts that are read: the answer would otherwise repeat every line that was refused. */
const FILTER = 'errors,items.*.status,items.*.error.type';

/** Sends lines in one request. Never rejects: what went wrong is a result. */
export async function sendBulk(lines: readonly string[], request: BulkRequest): Promise<BulkResult> {
  try {
    const response = await post(lines, request);
    if (response.ok) return await readItems(lines, response);
    await response.body?.cancel();
    const failure = `status ${response.status}`;
    const isTooLarge = response.status === TOO_LARGE && lines.length > 1;
    if (isTooLarge) return { retry: lines, refused: 0, isTooLarge, failure };
    // 401, 403 or a missing index are repaired by people while lines wait; 400 and 413 are about these lines.
    const isHopeless = response.status === FAULT || response.status === TOO_LARGE;
    return isHopeless ? { retry: [], refused: lines.length, failure } : { retry: lines, refused: 0, failure };
  } catch (error) {
    return { retry: lines, refused: 0, failure: codeOf(error) };
  }
}

async function post(lines: readonly string[], request: BulkRequest): Promise<Response> {
  const url = new URL(request.url);
  url.searchParams.set('filter_path', FILTER);
  // Data streams take nothing but create:
  // https://www.elastic.co/guide/en/elasticsearch/reference/current/docs-bulk.html
  const action = JSON.stringify({ create: { _index: request.index } });
  const { authorization } = request;
  return await request.fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-ndjson',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: lines.map((line) => `${action}\n${line}\n`).join(''),
    // A redirect would carry the credentials elsewhere.
    redirect: 'error',
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(request.requestTimeoutMs)]),
  });
}

async function readItems(lines: readonly string[], response: Response): Promise<BulkResult> {
  const { errors, items } = (await response.json()) as BulkAnswer;
  if (errors !== true) return { retry: [], refused: 0 };
  if (items?.length !== lines.length) return { retry: [], refused: lines.length, failure: 'strange answer' };
  const results = items.map((item) => Object.values(item)[0] ?? {});
  const isBusy = ({ status = 0 }: BulkItem) => status === TOO_MANY || status >= SERVER_FAULT;
  const failed = results.find(({ status = 0 }) => status >= FAULT);
  return {
    retry: lines.filter((_, index) => isBusy(results[index]!)),
    refused: results.filter((item) => (item.status ?? 0) >= FAULT && !isBusy(item)).length,
    ...(failed === undefined ? {} : { failure: failed.error?.type ?? `status ${failed.status}` }),
  };
}

interface BulkAnswer {
  readonly errors?: boolean;
  readonly items?: readonly Readonly<Record<string, BulkItem>>[];
}

/** ECONNREFUSED and the like: the message of a failed fetch may quote the address. */
function codeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const { code } = (cause ?? error) as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'unknown';
}
