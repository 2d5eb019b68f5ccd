/** A listener that plays the first line of a NATS server, or worse, and remembers what it was sent. */

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';

export interface FakeServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Everything that clients have sent, in order. */
  received(): Buffer;
  /** How many have connected so far, and how many still are. */
  accepted(): number;
  open(): number;
}

/** @param greet what is done with each new client; left out: nothing, as a host that hangs */
export async function startFakeServer(greet: (socket: Socket) => void = () => {}): Promise<FakeServer> {
  const sockets = new Set<Socket>();
  const chunks: Buffer[] = [];
  let accepted = 0;
  const server = createServer((socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    greet(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    received: () => Buffer.concat(chunks),
    accepted: () => accepted,
    open: () => sockets.size,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The greeting of a server. */
export const info = (more: Readonly<Record<string, unknown>> = {}): string =>
  `INFO ${JSON.stringify({ server_id: 'S', version: '2.10.0', proto: 1, headers: true, max_payload: 1_048_576, ...more })} \r\n`;
