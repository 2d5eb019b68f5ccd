/** A scene on a Memphis broker: one that runs, or the stand-in of the tests for what can be counted. */

import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectOfficial } from '@nats-io/transport-node';
import { connect } from '../../src/index.ts';
import { ensureNatsServer, findNatsServers } from '../../src/testing/index.ts';
import { natsServerVersion } from '../../src/testing/nats-server.ts';
import { startStandIn } from '../../test/support/memphis/stand-in.ts';
import type { Scene } from './scene.ts';
import { ours } from './subjects.ts';

const STATION = 's';
const STREAM = 's$1';
const AT_ONCE = 1_000;

/** As the broker makes those of groups. */
const DURABLE = {
  deliver_policy: 'all',
  ack_policy: 'explicit',
  ack_wait: 30_000_000_000,
  max_deliver: 10,
  filter_subject: `${STREAM}.final`,
  replay_policy: 'instant',
  max_ack_pending: -1,
};

interface Address {
  readonly url: string;
  readonly version: string;
  readonly close: () => PromiseLike<unknown>;
}

/** Memphis brokers are made from servers that make a durable before they look at the next request; later ones do not. */
const isOfTheirAge = (binary: string): boolean => natsServerVersion(binary)?.startsWith('2.9.') === true;

async function openStandIn(): Promise<Address> {
  const first = await ensureNatsServer();
  const standIn = await startStandIn({ binary: findNatsServers().find(isOfTheirAge) ?? first });
  const { url, server } = standIn;
  return { url, version: server.version, close: () => standIn[Symbol.asyncDispose]() };
}

/** @param url of a broker that runs, and has no station `s`; left out: the stand-in */
export async function openMemphisScene(url?: string): Promise<Scene> {
  const broker =
    url === undefined ? await openStandIn() : { url, version: await versionOf(url), close: async () => {} };
  const { username, password, hostname, port } = new URL(broker.url.replace(/^memphis:/, 'http:'));
  const memphis = await connect({ servers: [broker.url], broker: 'memphis' });
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  const name = `${randomUUID()}::${user}`; // that of a client of Memphis; others' work on streams becomes stations
  const connection = await connectOfficial({ servers: `${hostname}:${port}`, name, user: `${user}$1`, pass });
  const ask = async (subject: string, body: object = {}): Promise<Record<string, unknown>> => {
    const answer = await connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 5_000 });
    return JSON.parse(new TextDecoder().decode(answer.data));
  };
  if ((await ask(`STREAM.INFO.${STREAM}`)).error === undefined) {
    await Promise.all([memphis.close(), connection.close(), broker.close()]);
    throw new Error(
      `The Memphis broker has a station ${STATION} already. It must have none, since it is removed at the end.`,
    );
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-bench-'));
  await memphis.createStation(STATION, { storageType: 'memory', retentionType: 'messages', retentionValue: 1_000_000 });
  const dropDurable = async (name: string): Promise<void> => {
    await ask(`CONSUMER.DELETE.${STREAM}.${name}`);
    if (name === ours.name) await ask(`STREAM.DELETE.${STATION}$resent$${name}`);
  };
  const makeDurable = async (name: string): Promise<void> => {
    await ask(`CONSUMER.DURABLE.CREATE.${STREAM}.${name}`, {
      stream_name: STREAM,
      config: { durable_name: name, ...DURABLE },
    });
  };
  return {
    broker: { port: Number(port), version: broker.version },
    folder,
    env: ({ name, isOurs }, over) => {
      const host = over === undefined ? `${hostname}:${port}` : new URL(over).host;
      return isOurs
        ? {
            MEMPHIS_SERVERS: `memphis://${username}:${password}@${host}`,
            MEMPHIS_BROKER: 'memphis',
            MEMPHIS_TLS: 'false',
          }
        : { MEMPHIS_SERVERS: `nats://${host}`, BENCH_USERNAME: user, BENCH_PASSWORD: pass, BENCH_DURABLE: name };
    },
    async fill(count, bytes = 100) {
      const data = Buffer.alloc(bytes, 'x');
      for (let left = count; left > 0; left -= AT_ONCE) {
        for (const result of await memphis.produceBatch(STATION, Array<Buffer>(Math.min(left, AT_ONCE)).fill(data))) {
          if (!result.ok) throw result.error;
        }
      }
    },
    async clear(subjects) {
      await ask(`STREAM.PURGE.${STREAM}`);
      for (const { name } of subjects) {
        await dropDurable(name);
        if (name === ours.name) await memphis.fetchMessages(STATION, { group: name, batchMaxWaitMs: 0 });
        await makeDurable(name);
      }
    },
    makeDurable,
    dropDurable,
    async unsettled(durable) {
      for (let looks = 0; ; looks++) {
        const left = Number((await ask(`CONSUMER.INFO.${STREAM}.${durable}`)).num_ack_pending);
        if (left === 0 || looks === 10) return left;
        await sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      if (url !== undefined) await memphis.destroyStation(STATION);
      await memphis.close();
      await connection.close();
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Its HTTP API tells the release, and is told by `MEMPHIS_API_URL`, or where it usually is. */
async function versionOf(url: string): Promise<string> {
  const { hostname } = new URL(url.replace(/^memphis:/, 'http:'));
  const api = process.env.MEMPHIS_API_URL ?? `http://${hostname}:9000`;
  const response = await fetch(`${api}/api/monitoring/getClusterInfo`, { signal: AbortSignal.timeout(5_000) });
  return `Memphis ${((await response.json()) as { readonly version: string }).version}`;
}
