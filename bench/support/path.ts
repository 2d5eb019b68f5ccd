/** The network between a function and its broker: a TCP proxy on 127.0.0.1 that delays, and can break in every way. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface NetworkPath extends AsyncDisposable {
  readonly url: string;
  /** Connections that were opened so far. */
  accepted(): number;
  /** One way, for all that is sent from now on. */
  setDelay(delayMs: number): void;
  /** The broker's side hangs up in an orderly way. */
  end(): void;
  /** The path has forgotten the connections that are open: the first thing that is sent is answered by a reset. */
  forget(): void;
  /** The connections that are open carry nothing any more, and nobody says so. */
  swallow(): void;
}

interface Flow {
  readonly client: Socket;
  server: Socket | undefined;
  fate: 'fine' | 'forgotten' | 'swallowed';
}

/** From here on a timer is too coarse, and the loop turns until it is time. */
const TIMER_STEP_MS = 1.2;

/**
 * Delivers what it is given when its time has come, in order. A path of 1 ms needs more than a timer, which is up to a
 * millisecond late.
 */
function makeLane(): (dueMs: number, deliver: () => void) => void {
  const waiting: { readonly due: number; readonly deliver: () => void }[] = [];
  const run = (): void => {
    const now = performance.now();
    for (let next = waiting[0]; next !== undefined && next.due <= now; next = waiting[0]) {
      waiting.shift();
      next.deliver();
    }
    schedule();
  };
  const schedule = (): void => {
    const [next] = waiting;
    if (next === undefined) return;
    const left = next.due - performance.now();
    if (left > TIMER_STEP_MS) setTimeout(run, left - 1);
    else setImmediate(run);
  };
  return (due, deliver) => {
    waiting.push({ due: Math.max(due, waiting.at(-1)?.due ?? 0), deliver });
    if (waiting.length === 1) schedule();
  };
}

/**
 * The client's connection is up at once, as on loopback, so its handshake is added: what it sends is under way when one
 * round trip is over, and the broker hears of the connection half a round trip after that.
 *
 * @param target port of the broker on 127.0.0.1
 * @param delayMs one way
 */
export async function openPath(target: number, delayMs: number): Promise<NetworkPath> {
  const flows = new Set<Flow>();
  let accepted = 0;
  let delay = delayMs;
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    const start = performance.now();
    const flow: Flow = { client, server: undefined, fate: 'fine' };
    const toServer = makeLane();
    const toClient = makeLane();
    flows.add(flow);
    client.setNoDelay(true);
    toServer(start + 3 * delay, () => {
      if (!client.destroyed)
        flow.server = dial(flow, target, (deliver) => toClient(performance.now() + delay, deliver));
    });
    client.on('data', (chunk) => {
      if (flow.fate === 'forgotten') client.resetAndDestroy();
      if (flow.fate !== 'fine') return;
      const sent = Math.max(performance.now(), start + 2 * delay);
      toServer(sent + delay, () => flow.fate === 'fine' && flow.server?.write(chunk));
    });
    client.on('end', () => {
      if (flow.fate === 'fine') toServer(performance.now() + delay, () => flow.server?.end());
      else client.destroy();
    });
    client.on('error', () => {});
    client.on('close', () => {
      flows.delete(flow);
      flow.server?.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${port}`,
    accepted: () => accepted,
    setDelay(next) {
      delay = next;
    },
    end() {
      for (const { client, server } of flows) {
        server?.destroy();
        client.end();
      }
    },
    forget() {
      for (const flow of flows) {
        flow.fate = 'forgotten';
        flow.server?.destroy();
      }
    },
    swallow() {
      for (const flow of flows) flow.fate = 'swallowed';
    },
    async [Symbol.asyncDispose]() {
      for (const { client } of flows) client.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
}

function dial(flow: Flow, port: number, later: (deliver: () => void) => void): Socket {
  const { client } = flow;
  const server = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true });
  server.on('data', (chunk) => later(() => flow.fate === 'fine' && client.write(chunk)));
  server.on('end', () => later(() => flow.fate === 'fine' && client.end()));
  server.on('error', () => flow.fate === 'fine' && client.destroy());
  return server;
}
