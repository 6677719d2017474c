import { Agent, request } from 'node:http';

const REQUEST_TIMEOUT_MS = 15_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Keep-alive connections to one port of this machine, at most `connections` of them. */
export class HttpClient {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(options: { readonly port: number; readonly connections: number }) {
    this.#port = options.port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  }

  send(planned: { readonly method: string; readonly path: string; readonly body?: string }): Promise<Answer> {
    const headers: Record<string, string | number> =
      planned.body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(planned.body) };
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
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
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
