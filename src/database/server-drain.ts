import { Server as HttpServer, type ServerResponse } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';

/** How often to look for connections that have finished their request. */
const LOOK_MS = 25;

/**
 * Remembers a server's connections from now on, so that they can be cut: `closeAllConnections` of Node leaves
 * out those that were upgraded, and servers other than HTTP do not have it.
 */
export class ServerDrain {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #onConnection = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  };

  constructor(server: Server) {
    this.#server = server;
    server.on('connection', this.#onConnection);
  }

  /** Forgets the server, which goes on. */
  off(): void {
    this.#server.off('connection', this.#onConnection);
  }

  /**
   * Accepts no more, waits up to `limitMs` for the requests under way, then cuts what is left.
   * @returns the number of connections that were cut
   */
  async close(limitMs: number): Promise<number> {
    const server = this.#server;
    const closed = new Promise<void>((resolve) => {
      // Its error says that it was not listening: https://nodejs.org/api/net.html#serverclosecallback
      server.close(() => resolve());
    });
    const http = server instanceof HttpServer || server instanceof HttpsServer ? server : undefined;
    http?.prependListener('request', lastOnItsConnection);
    const look = setInterval(() => http?.closeIdleConnections(), LOOK_MS);
    let cut = 0;
    const limit = setTimeout(() => {
      cut = this.#sockets.size;
      http?.closeAllConnections();
      for (const socket of this.#sockets) socket.destroy();
    }, limitMs);
    await closed;
    clearTimeout(limit);
    clearInterval(look);
    http?.off('request', lastOnItsConnection);
    this.off();
    return cut;
  }
}

/** A client that sends one request after another on its connection would otherwise never be done. */
function lastOnItsConnection(_request: unknown, response: ServerResponse): void {
  response.setHeader('Connection', 'close');
}
