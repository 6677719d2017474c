/** Only what the page itself brings, and nothing from elsewhere, runs or loads. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  // no-transform: what is behind a login must not be compressed together with what a stranger can write into
  // it (BREACH).
  'cache-control': 'no-store, no-transform',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Every answer of the monitor, refusals too, goes out with these headers. */
export function answer(
  body: string | ReadableStream<Uint8Array>,
  contentType: string,
  { status = 200, headers = {} }: { status?: number; headers?: Readonly<Record<string, string>> } = {},
): Response {
  return new Response(body, { status, headers: { ...HEADERS, 'content-type': contentType, ...headers } });
}

export function answerJson(value: unknown, status = 200): Response {
  return answer(JSON.stringify(value), 'application/json; charset=utf-8', { status });
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
export function answerError(status: number, detail: string, headers?: Record<string, string>): Response {
  return answer(JSON.stringify({ status, detail }), 'application/problem+json; charset=utf-8', {
    status,
    ...(headers === undefined ? {} : { headers }),
  });
}
