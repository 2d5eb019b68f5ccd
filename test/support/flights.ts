/** A TCP relay on 127.0.0.1 before a broker that tells what a client sends without having heard anything in between. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** So long an answer is held back, so that everything that needs none has left by then, also on a busy machine. */
const HOLD_MS = 150;

export interface FlightRecorder extends AsyncDisposable {
  readonly url: string;
  /** What left together, as `CONNECT`, `SUB`, `PUB <subject>` and so on; the answer to one flight comes before the next. */
  flights(): readonly (readonly string[])[];
  /** Forgets what was recorded. */
  clear(): void;
}

const verbsOf = (text: string): string[] =>
  [...text.matchAll(/^(CONNECT|H?PUB|SUB|UNSUB|PING|PONG)(?: (\S+))?/gm)].map(([, verb = '', subject = '']) =>
    verb.endsWith('PUB') ? `PUB ${subject}` : verb,
  );

/** @param target port of the broker on 127.0.0.1 */
export async function recordFlights(target: number): Promise<FlightRecorder> {
  let flights: string[][] = [];
  let isNext = true;
  const sockets = new Set<{ destroy(): void }>();
  const listener = createServer((client) => {
    const server = connect(target, '127.0.0.1');
    let held: Buffer[] = [];
    sockets.add(client).add(server);
    client.setNoDelay(true).on('data', (chunk) => {
      if (isNext) flights.push([]);
      isNext = false;
      flights.at(-1)?.push(...verbsOf(chunk.toString('latin1')));
      server.write(chunk);
    });
    server.setNoDelay(true).on('data', (chunk) => {
      held.push(chunk);
      if (held.length > 1) return;
      setTimeout(() => {
        isNext = true;
        client.write(Buffer.concat(held));
        held = [];
      }, HOLD_MS);
    });
    client.on('error', () => {}).on('close', () => server.destroy());
    server.on('error', () => {}).on('close', () => client.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    url: `nats://127.0.0.1:${(listener.address() as { port: number }).port}`,
    flights: () => flights,
    clear: () => {
      flights = [];
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}
