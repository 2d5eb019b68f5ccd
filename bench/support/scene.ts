/** A broker with the station that every function of the benchmarks works on, and messages in it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openOfficial } from '../../src/connection/official/open-official.ts';
import { connect } from '../../src/index.ts';
import { ensureNatsServer, type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { ours, type Subject } from './subjects.ts';

const STATION = 's';
const STREAM = 's$1';
const AT_ONCE = 1_000;

export interface Scene extends AsyncDisposable {
  readonly broker: RunningBroker;
  /** A folder for bundles, which goes with the scene. */
  readonly folder: string;
  /** The environment of a function of this subject, for a broker at this address; left out: the broker itself. */
  env(subject: Subject, url?: string): Record<string, string>;
  /** Stores so many messages more. */
  fill(count: number, bytes?: number): Promise<void>;
  /** Makes a durable on the stream of the station, beginning at what comes from now on; one that is there is made anew. */
  makeDurable(name: string): Promise<void>;
}

export interface SceneOptions {
  /** Lines for the server's configuration. */
  readonly config?: string;
  readonly log?: (line: string) => void;
}

export async function openScene({ config, log = () => {} }: SceneOptions = {}): Promise<Scene> {
  const binary = await ensureNatsServer({ log });
  const broker = await startBroker({ binary, ...(config === undefined ? {} : { config }) });
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-bench-'));
  const memphis = await connect({ servers: [broker.url] });
  await memphis.createStation(STATION, { storageType: 'memory', retentionType: 'messages', retentionValue: 1_000_000 });
  const raw = openOfficial({ server: `127.0.0.1:${broker.port}`, name: 'bench', timeoutMs: 2_000 });
  const ask = async (subject: string, body: object): Promise<void> => {
    const data = new TextEncoder().encode(JSON.stringify(body));
    await raw.request(`$JS.API.${subject}`, data, { timeoutMs: 5_000 });
  };

  return {
    broker,
    folder,
    env: ({ name }, url = broker.url) => ({
      MEMPHIS_SERVERS: url,
      MEMPHIS_TLS: 'false',
      MEMPHIS_BROKER: 'jetstream',
      BENCH_DURABLE: name,
    }),
    async fill(count, bytes = 100) {
      const data = Buffer.alloc(bytes, 'x');
      for (let left = count; left > 0; left -= AT_ONCE) {
        const messages = Array.from({ length: Math.min(left, AT_ONCE) }, () => data);
        for (const result of await memphis.produceBatch(STATION, messages)) if (!result.ok) throw result.error;
      }
    },
    async makeDurable(name) {
      await ask(`CONSUMER.DELETE.${STREAM}.${name}`, {});
      if (name === ours.name) {
        await memphis.fetchMessages(STATION, { group: name, lastMessages: 0, batchSize: 1, batchMaxWaitMs: 0 });
        return;
      }
      const config = { durable_name: name, deliver_policy: 'new', ack_policy: 'explicit', max_ack_pending: -1 };
      await ask(`CONSUMER.DURABLE.CREATE.${STREAM}.${name}`, { stream_name: STREAM, config });
    },
    async [Symbol.asyncDispose]() {
      await memphis.close();
      await raw.close();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
