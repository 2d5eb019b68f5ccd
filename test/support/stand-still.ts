/** A process that stands still, as in a freeze, while something arrives on its sockets. */

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Two ends of one flow, which are gone when the scope is. */
export interface SocketPair extends Disposable {
  readonly client: Socket;
  readonly peer: Socket;
}

export async function openPair(): Promise<SocketPair> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'ready')])) as [[Socket], unknown];
  return {
    client,
    peer,
    [Symbol.dispose]() {
      client.destroy();
      server.close();
    },
  };
}

/** Timers come due and nothing is read. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
