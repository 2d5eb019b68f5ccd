/** A broker with the station that every function of the benchmarks works on, and messages in it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectOfficial } from '@nats-io/transport-node';
import { connect } from '../../src/index.ts';
import { ensureNatsServer, startBroker } from '../../src/testing/index.ts';
import { type AccessKind, makeAccess } from './access.ts';
import { ours, type Subject } from './subjects.ts';

const STATION = 's';
const STREAM = 's$1';
const SUBJECT = 's$1.final';
const AT_ONCE = 500;

export interface Scene extends AsyncDisposable {
  readonly broker: { readonly port: number; readonly version: string };
  /** A folder for bundles, which goes with the scene. */
  readonly folder: string;
  /** The environment of a function of this subject, for a broker at this address; left out: the broker itself. */
  env(subject: Pick<Subject, 'name' | 'isOurs'>, url?: string): Record<string, string>;
  /** Stores so many messages more. */
  fill(count: number, bytes?: number): Promise<void>;
  /** Removes all messages, and makes the durables of these subjects anew. */
  clear(subjects: readonly Subject[]): Promise<void>;
  makeDurable(name: string): Promise<void>;
  dropDurable(name: string): Promise<void>;
  /** How many messages of a durable were handed out and not settled; what is just being settled is waited for. */
  unsettled(durable: string): Promise<number>;
}

export interface SceneOptions {
  readonly access?: AccessKind;
  /** Further lines for the server's configuration. */
  readonly config?: string;
  readonly log?: (line: string) => void;
}

/** Station and group are made by the toolkit, as a user's would be; the durables of the others are like it. */
export async function openScene({ access = 'plain', config = '', log }: SceneOptions = {}): Promise<Scene> {
  const binary = await ensureNatsServer(log === undefined ? {} : { log });
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-bench-'));
  const way = await makeAccess(access, folder);
  const broker = await startBroker({ binary, config: `${way.config}\n${config}` });
  const memphis = await connect({ servers: [broker.url], ...way.ours });
  await memphis.createStation(STATION, { storageType: 'memory', retentionType: 'messages', retentionValue: 1_000_000 });
  const connection = await connectOfficial({ servers: broker.url, ...way.official });
  const ask = async (subject: string, body: object = {}): Promise<void> => {
    await connection.request(`$JS.API.${subject}`, JSON.stringify(body), { timeout: 5_000 });
  };
  const dropDurable = (name: string) => ask(`CONSUMER.DELETE.${STREAM}.${name}`);
  const makeDurable = (name: string) =>
    ask(`CONSUMER.DURABLE.CREATE.${STREAM}.${name}`, {
      stream_name: STREAM,
      config: { durable_name: name, ack_policy: 'explicit', ack_wait: 30_000_000_000, max_ack_pending: -1 },
    });

  return {
    broker,
    folder,
    env: ({ name, isOurs }, url = broker.url) => ({
      MEMPHIS_SERVERS: url,
      ...way.env,
      ...(isOurs ? { MEMPHIS_BROKER: 'jetstream', ...(access === 'tls' ? {} : { MEMPHIS_TLS: 'false' }) } : {}),
      BENCH_DURABLE: name,
    }),
    async fill(count, bytes = 100) {
      const data = Buffer.alloc(bytes, 'x');
      for (let left = count; left > 0; left -= AT_ONCE) {
        const one = () => connection.request(SUBJECT, data, { timeout: 5_000 });
        await Promise.all(Array.from({ length: Math.min(left, AT_ONCE) }, one));
      }
    },
    async clear(subjects) {
      await ask(`STREAM.PURGE.${STREAM}`);
      for (const { name } of subjects) {
        await dropDurable(name);
        if (name !== ours.name) await makeDurable(name);
        else await memphis.fetchMessages(STATION, { group: name, batchMaxWaitMs: 0 });
      }
    },
    makeDurable,
    dropDurable,
    async unsettled(durable) {
      for (let looks = 0; ; looks++) {
        const { data } = await connection.request(`$JS.API.CONSUMER.INFO.${STREAM}.${durable}`);
        const { num_ack_pending: left } = JSON.parse(new TextDecoder().decode(data)) as { num_ack_pending: number };
        if (left === 0 || looks === 10) return left;
        await sleep(50);
      }
    },
    async [Symbol.asyncDispose]() {
      await memphis.close();
      await connection.close();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
