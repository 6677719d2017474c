import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A server that sends back all it hears, behind a proxy. */
async function echoBehindProxy(): Promise<TcpProxy> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startTcpProxy({ port: (server.address() as AddressInfo).port });
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return proxy;
}

interface Caller {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly ended: Promise<string>;
}

async function callThrough(proxy: TcpProxy): Promise<Caller> {
  const socket = connect(proxy.port, '127.0.0.1');
  await once(socket, 'connect');
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  const ended = new Promise<string>((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code!));
    socket.on('end', () => resolve('end'));
  });
  onTestFinished(() => void socket.destroy());
  return { socket, heard: () => heard, ended };
}

test('passes what is sent, both ways', async () => {
  const { socket, heard } = await callThrough(await echoBehindProxy());
  socket.write('hello');
  await expect.poll(heard).toBe('hello');
});

test('cuts a connection at the exact byte of an answer', async () => {
  const proxy = await echoBehindProxy();
  const { socket, heard, ended } = await callThrough(proxy);
  const cut = proxy.cutOnce({ direction: 'to-client', after: 3, how: 'finish' });
  socket.write('hello');
  await cut;
  expect(await ended).toBe('end');
  expect(heard()).toBe('hel');
});

test('cuts at a pattern that came in two pieces, and once only', async () => {
  const proxy = await echoBehindProxy();
  const first = await callThrough(proxy);
  const cut = proxy.cutOnce({ direction: 'to-server', pattern: Buffer.from('MIT'), keep: 1, how: 'finish' });
  first.socket.write('aCOM');
  await expect.poll(first.heard).toBe('aCOM');
  first.socket.write('ITb');
  await cut;
  await first.ended;
  expect(first.heard()).toBe('aCOM');
  const second = await callThrough(proxy);
  second.socket.write('COMMIT');
  await expect.poll(second.heard).toBe('COMMIT');
});

test('ends connections by RST and refuses new ones until it accepts again', async () => {
  const proxy = await echoBehindProxy();
  const { ended } = await callThrough(proxy);
  await expect.poll(() => proxy.connections).toBe(1);
  proxy.resetAll();
  expect(await ended).toBe('ECONNRESET');
  await proxy.refuse();
  const refused = connect(proxy.port, '127.0.0.1');
  expect(await once(refused, 'error')).toMatchObject([{ code: 'ECONNREFUSED' }]);
  await proxy.accept();
  const { socket, heard } = await callThrough(proxy);
  socket.write('again');
  await expect.poll(heard).toBe('again');
});

test('swallows what passes while it is a black hole', async () => {
  const proxy = await echoBehindProxy();
  const { socket, heard, ended } = await callThrough(proxy);
  proxy.blackHole();
  socket.write('lost');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(heard()).toBe('');
  proxy.restore();
  expect(await ended).toBe('ECONNRESET');
});

test('delays and drips', async () => {
  const proxy = await echoBehindProxy();
  const { socket, heard } = await callThrough(proxy);
  proxy.delay(40);
  const begun = performance.now();
  socket.write('slow');
  await expect.poll(heard, { interval: 5 }).toBe('slow');
  expect(performance.now() - begun).toBeGreaterThanOrEqual(79);
  proxy.restore();
  proxy.drip(100);
  socket.write('x'.repeat(20));
  await expect.poll(heard, { interval: 5 }).toBe(`slow${'x'.repeat(20)}`);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(270);
});
