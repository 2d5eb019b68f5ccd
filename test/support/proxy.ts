/** A TCP proxy on 127.0.0.1 before a broker, which can play what networks do to flows. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface TestProxy extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** How many flows were opened so far, and how many are open towards clients. */
  accepted(): number;
  open(): number;
  /** Flows that are open now are never heard of again: what is sent is read and dropped, nobody hangs up. */
  swallow(): void;
  /** Of the flows that are open now, each carries no more answers once its client has sent this. */
  deafenAfter(text: string): void;
  /** Flows that are open now end in an orderly way (FIN), or with a reset. */
  end(): void;
  reset(): void;
  /** On flows that are open now answers take so much longer. */
  slowDown(ms: number): void;
  /** Flows to come: swallowed from their first byte, or passed on. */
  swallowNew(isOn: boolean): void;
  /** What the broker had sent on flows that were ended or swallowed, and that was on its way then: no client has it. */
  lost(): readonly string[];
}

interface Flow {
  readonly client: Socket;
  readonly server: Socket | undefined;
  isSwallowed: boolean;
  isDeaf: boolean;
  deafAfter: string | undefined;
  lost: string;
  slowMs: number;
}

/** @param target port of the broker on 127.0.0.1 */
export async function startProxy(target: number): Promise<TestProxy> {
  const flows = new Set<Flow>();
  const cut = new Set<Flow>();
  let accepted = 0;
  let swallowsNew = false;
  const listener = createServer({ allowHalfOpen: true }, (client) => {
    accepted++;
    const server = swallowsNew ? undefined : connect({ host: '127.0.0.1', port: target, allowHalfOpen: true });
    const flow: Flow = {
      client,
      server,
      isSwallowed: swallowsNew,
      isDeaf: false,
      deafAfter: undefined,
      lost: '',
      slowMs: 0,
    };
    flows.add(flow);
    for (const socket of [client, server]) socket?.setNoDelay(true); // what has come is on its way at once
    client.on('data', (chunk) => {
      if (flow.deafAfter !== undefined && chunk.includes(flow.deafAfter)) flow.isDeaf = true;
      if (!cut.has(flow) && !flow.isSwallowed) server?.write(chunk);
    });
    const passOn = (chunk: Buffer): void => {
      if (cut.has(flow)) flow.lost += chunk.toString('latin1');
      else if (!flow.isSwallowed && !flow.isDeaf) client.write(chunk);
    };
    server?.on('data', (chunk: Buffer) => {
      if (flow.slowMs === 0) passOn(chunk);
      else setTimeout(passOn, flow.slowMs, chunk);
    });
    // a client that hangs up is counted out, though nobody beyond hears of it
    client.on('end', () => (flow.isSwallowed ? client.destroy() : server?.end()));
    server?.on('end', () => flow.isSwallowed || client.end());
    client.on('error', () => {});
    server?.on('error', () => flow.isSwallowed || client.destroy());
    client.on('close', () => {
      flows.delete(flow);
      if (cut.has(flow)) server?.end();
      else server?.destroy();
    });
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  return {
    port,
    url: `nats://127.0.0.1:${port}`,
    accepted: () => accepted,
    open: () => flows.size,
    swallow: () => {
      for (const flow of flows) {
        cut.add(flow);
        flow.isSwallowed = true;
      }
    },
    deafenAfter: (text) => {
      for (const flow of flows) flow.deafAfter = text;
    },
    slowDown: (ms) => {
      for (const flow of flows) flow.slowMs = ms;
    },
    end: () => {
      for (const flow of flows) {
        cut.add(flow);
        flow.server?.end(); // the broker hands out nothing more; what it had sent by now is on its way
        flow.client.end();
      }
    },
    reset: () => {
      for (const flow of flows) {
        cut.add(flow);
        flow.server?.end();
        flow.client.resetAndDestroy();
      }
    },
    swallowNew: (isOn) => {
      swallowsNew = isOn;
    },
    lost: () => [...cut].map(({ lost }) => lost),
    async [Symbol.asyncDispose]() {
      for (const { client, server } of [...flows, ...cut]) {
        client.destroy();
        server?.destroy();
      }
      listener.close();
      await once(listener, 'close');
    },
  };
}
