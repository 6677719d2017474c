import { STATUS_CODES } from 'node:http';
import { MillpondError, type ErrorCode } from '../errors/index.ts';

export interface HttpProblemDetails {
  /** What the client did wrong, or can do now. Sent to the client, so it must hold no secrets. */
  readonly detail?: string | undefined;
  /** A URI that names the kind of problem. @default 'about:blank' */
  readonly type?: string | undefined;
  /** @default the phrase of the status */
  readonly title?: string | undefined;
  /** More members of the problem, as RFC 9457 §3.2 allows. Go to the client. */
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly cause?: unknown;
}

const MEDIA_TYPE = 'application/problem+json';

/**
 * Throw it to answer with a problem: `throw new HttpProblem(404, { detail: 'There is no such job.' })`.
 * https://www.rfc-editor.org/rfc/rfc9457
 */
export class HttpProblem extends MillpondError {
  readonly code: ErrorCode = 'ERR_MILLPOND_HTTP';
  readonly status: number;
  readonly problem: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, details: HttpProblemDetails = {}) {
    const title = details.title ?? STATUS_CODES[status] ?? 'Error';
    super(details.detail ?? title, { cause: details.cause });
    this.status = status;
    this.headers = details.headers ?? {};
    this.problem = {
      ...details.extensions,
      type: details.type ?? 'about:blank',
      title,
      status,
      ...(details.detail === undefined ? {} : { detail: details.detail }),
    };
  }

  /**
   * The response, with the request's id where it is known. Also for applications without `answerErrors`:
   * Hono's own handler asks errors for it.
   */
  getResponse(requestId?: string): Response {
    const id = typeof requestId === 'string' ? { requestId } : {};
    const body = JSON.stringify({ ...this.problem, ...id });
    const headers = {
      // An answer about an error is for this client alone, and may be different a moment later.
      'Cache-Control': 'no-store',
      ...this.headers,
      ...(typeof requestId === 'string' ? { 'X-Request-Id': requestId } : {}),
      'Content-Type': MEDIA_TYPE,
    };
    return new Response(body, { status: this.status, headers });
  }
}
