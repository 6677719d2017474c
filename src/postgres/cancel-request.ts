import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html, CancelRequest and SSLRequest */
const CANCEL_CODE = 80_877_102;
const TLS_CODE = 80_877_103;
const TLS_ACCEPTED = 0x53;

export interface CancelTarget {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | undefined;
  readonly processId: number;
  readonly secretKey: number;
}

/**
 * Asks the server, on a connection of its own, to stop what the process runs. The server closes that
 * connection when it has passed the request on, and says nothing else: what becomes of the statement shows in
 * the statement's own answer. Settles when the connection is closed, in every case.
 */
export async function sendCancelRequest(target: CancelTarget, timeoutMs: number): Promise<void> {
  const socket = openSocket(target);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  socket.setTimeout(timeoutMs, () => socket.destroy());
  try {
    await once(socket, 'connect');
    const channel = target.tls === undefined ? socket : await encrypt(socket, target);
    // The server may close first: what it says then does not matter.
    channel.on('error', () => undefined);
    channel.on('data', () => undefined);
    // Not ended here: a pooler drops the request of a client that has gone before it is passed on.
    channel.write(cancelMessage(target));
  } catch {
    // The server cannot be reached: the statement's own limits there will end it.
    socket.destroy();
  }
  await closed;
}

function openSocket({ host, port }: CancelTarget): Socket {
  return host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
}

async function encrypt(socket: Socket, { host, tls }: CancelTarget): Promise<Socket> {
  const request = Buffer.alloc(8);
  request.writeInt32BE(8, 0);
  request.writeInt32BE(TLS_CODE, 4);
  socket.write(request);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (answer[0] !== TLS_ACCEPTED) throw new Error('the server takes no TLS for a cancellation');
  const secure = connectTls({ ...tls, socket, host });
  await once(secure, 'secureConnect');
  return secure;
}

function cancelMessage({ processId, secretKey }: CancelTarget): Buffer {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_CODE, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  return message;
}

/** The next event of that name, or the socket's end. */
function once(socket: Socket, name: string): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    socket.once(name, (...args: unknown[]) => resolve(args));
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.once('error', reject);
  });
}
