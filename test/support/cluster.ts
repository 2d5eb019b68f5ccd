/** A cluster of real nats-servers for tests: nodes that can be killed, frozen, restarted and sent away one by one. */

import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLean } from '../../src/connection/lean/session.ts';
import type { DialOptions } from '../../src/connection/port.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';

/** Options of {@link startCluster}. */
export interface ClusterOptions {
  /** How many; default 3. */
  readonly nodes?: number;
  /** More lines for each node's configuration file. */
  readonly config?: string;
  /** What this helper needs to connect itself, where `config` asks for credentials or TLS. */
  readonly dial?: Partial<DialOptions>;
}

/** A node: a broker that belongs to a cluster. */
export interface ClusterNode extends RunningBroker {
  /** As INFO and JetStream call it. */
  readonly name: string;
  /** Tells it to go in an orderly way: leaders move at once, 1 s later clients hear of it, 2 s later they are cut off. */
  lameDuck(): void;
}

export interface Cluster extends AsyncDisposable {
  readonly nodes: readonly ClusterNode[];
  /** Of all nodes, for `servers`. */
  readonly urls: readonly string[];
  /** Resolves when a stream and a durable with a replica on every node can be made; fails after `limitMs`. */
  ready(limitMs?: number): Promise<void>;
  /** Resolves when a stream, or a durable of it, has a leader and no replica that lags behind. */
  settled(stream: string, durable?: string): Promise<void>;
  /** The node that leads a stream, or a durable of it. Waits while there is an election. */
  leaderOf(stream: string, durable?: string): Promise<ClusterNode>;
  /** Makes the leader of a stream, or of a durable of it, give way to another node. */
  stepDown(stream: string, durable?: string): Promise<void>;
  /** One request of the JetStream API, through any node that answers. */
  api(subject: string, body?: unknown): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

/**
 * Starts a cluster with JetStream on 127.0.0.1 and waits until it works.
 *
 * @param binary the nats-server program
 */
export async function startCluster(binary: string, options: ClusterOptions = {}): Promise<Cluster> {
  const size = options.nodes ?? 3;
  const brokers = await startNodes(binary, size, options.config ?? '');
  const names = new Map<string, ClusterNode>();
  const request = (port: number, subject: string, body?: unknown) => ask(port, subject, body, options.dial ?? {});

  const api: Cluster['api'] = async (subject, body) => {
    let failure: unknown;
    for (const node of nodes) {
      if (node.pid === undefined) continue;
      try {
        return await request(node.port, subject, body);
      } catch (error) {
        failure = error;
      }
    }
    throw failure ?? new Error('no node is up');
  };
  const infoOf = async (stream: string, durable?: string): Promise<ClusterInfo | undefined> => {
    const what = durable === undefined ? `STREAM.INFO.${stream}` : `CONSUMER.INFO.${stream}.${durable}`;
    const reply = await api(`$JS.API.${what}`).catch(() => ({}) as Record<string, unknown>);
    return reply.cluster as ClusterInfo | undefined;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => broker.stop()));
  };

  const nodes = await Promise.all(
    brokers.map(async (broker): Promise<ClusterNode> => {
      const node = Object.assign(broker, {
        name: await nameOf(broker.port, options.dial ?? {}),
        lameDuck: () => void process.kill(broker.pid ?? 0, 'SIGUSR2'),
      });
      names.set(node.name, node);
      return node;
    }),
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  const cluster: Cluster = {
    nodes,
    urls: nodes.map((node) => node.url),
    api,
    stop,
    [Symbol.asyncDispose]: stop,
    async ready(limitMs = 30_000) {
      const stream = { name: 'cluster_probe', subjects: ['cluster_probe'], storage: 'memory', num_replicas: size };
      const create = '$JS.API.STREAM.CREATE.cluster_probe';
      await until(limitMs, 'the cluster works', async () => {
        for (const node of nodes) {
          const reply = await request(node.port, create, stream);
          if ((reply as { error?: unknown }).error !== undefined) return false;
        }
        return true;
      });
      await api('$JS.API.STREAM.DELETE.cluster_probe');
    },
    settled: (stream, durable) =>
      until(30_000, `${stream} is settled`, async () => {
        const info = await infoOf(stream, durable);
        const replicas = info?.replicas ?? [];
        return names.has(info?.leader ?? '') && replicas.every(({ current, offline }) => current && !offline);
      }),
    async leaderOf(stream, durable) {
      let leader: ClusterNode | undefined;
      await until(20_000, `${stream} has a leader`, async () => {
        leader = names.get((await infoOf(stream, durable))?.leader ?? '');
        return leader?.pid !== undefined;
      });
      return leader as ClusterNode;
    },
    async stepDown(stream, durable) {
      const what =
        durable === undefined ? `STREAM.LEADER.STEPDOWN.${stream}` : `CONSUMER.LEADER.STEPDOWN.${stream}.${durable}`;
      const reply = await api(`$JS.API.${what}`);
      assert.equal(reply.success, true, JSON.stringify(reply));
    },
  };
  try {
    await cluster.ready();
    return cluster;
  } catch (error) {
    await stop();
    throw error;
  }
}

interface ClusterInfo {
  readonly leader?: string;
  readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[];
}

/** Nodes must know each other's ports before they start, so these are picked first; one that is taken means anew. */
async function startNodes(binary: string, size: number, config: string): Promise<RunningBroker[]> {
  for (let tries = 1; ; tries++) {
    const ports = Array.from({ length: size }, () => randomInt(10_000, 32_000));
    const routes = ports.map((port) => `nats://127.0.0.1:${port}`).join(', ');
    const started = await Promise.allSettled(
      ports.map((port) =>
        startBroker({
          binary,
          config: [
            `cluster { name: test, listen: "127.0.0.1:${port}", routes: [${routes}] }`,
            'lame_duck_grace_period: "1s", lame_duck_duration: "30s"',
            config,
          ].join('\n'),
        }),
      ),
    );
    const brokers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    if (brokers.length === size) return brokers;
    await Promise.all(brokers.map((broker) => broker.stop()));
    if (tries === 5) throw new Error(String(started.find((result) => result.status === 'rejected')?.reason));
  }
}

const open = (port: number, dial: Partial<DialOptions>) =>
  openLean({ server: `127.0.0.1:${port}`, name: 'cluster test', timeoutMs: 2_000, ...dial });

async function nameOf(port: number, dial: Partial<DialOptions>): Promise<string> {
  const connection = open(port, dial);
  try {
    return (await connection.info).serverName;
  } finally {
    await connection.close();
  }
}

async function ask(
  port: number,
  subject: string,
  body: unknown,
  dial: Partial<DialOptions>,
): Promise<Record<string, unknown>> {
  const connection = open(port, dial);
  try {
    const data = body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body));
    const frame = await connection.request(subject, data, { timeoutMs: 2_000 });
    if (frame.status !== 0) throw new Error(`status ${frame.status} on ${subject}`);
    return JSON.parse(new TextDecoder().decode(frame.data)) as Record<string, unknown>;
  } finally {
    await connection.close();
  }
}

async function until(limitMs: number, what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + limitMs; ; await sleep(50)) {
    if (await holds().catch(() => false)) return;
    assert.ok(Date.now() < deadline, `not within ${limitMs} ms: ${what}`);
  }
}
