import { Agent, request } from 'node:http';

const REQUEST_TIMEOUT_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of the body, as it was sent. */
  readonly bytes: number;
}

/** Keep-alive connections to one port of this machine, at most `connections` of them. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #port: number;
  readonly #offer: Readonly<Record<string, string>>;

  /** `encodings` are offered; bodies are not unpacked. */
  constructor(options: { readonly port: number; readonly connections: number; readonly encodings?: string }) {
    this.#offer = options.encodings === undefined ? {} : { 'accept-encoding': options.encodings };
    this.#port = options.port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  }

  send(planned: { readonly method: string; readonly path: string; readonly body?: string }): Promise<Answer> {
    const headers: Record<string, string | number> =
      planned.body === undefined
        ? { ...this.#offer }
        : {
            ...this.#offer,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(planned.body),
          };
    return new Promise((resolve, reject) => {
      const { method, path } = planned;
      const sent = request(
        {
          agent: this.#agent,
          host: '127.0.0.1',
          port: this.#port,
          method,
          path,
          headers,
          timeout: REQUEST_TIMEOUT_MS,
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const body = Buffer.concat(chunks);
            resolve({ status: response.statusCode ?? 0, text: body.toString(), bytes: body.length });
          });
          response.on('error', reject);
        },
      );
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)));
      sent.on('error', reject);
      sent.end(planned.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
