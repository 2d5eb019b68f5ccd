/** A scene on a Memphis broker: the stand-in of the tests, for what can be counted and needs no broker as it is. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from '../../src/index.ts';
import { ensureNatsServer } from '../../src/testing/index.ts';
import { startStandIn } from '../../test/support/memphis/stand-in.ts';
import type { Scene } from './scene.ts';
import { ours } from './subjects.ts';

const STATION = 's';

/** For our functions only. */
export async function openMemphisScene(): Promise<Scene> {
  const standIn = await startStandIn({ binary: await ensureNatsServer() });
  const folder = mkdtempSync(path.join(tmpdir(), 'memphis-serverless-bench-'));
  const memphis = await connect({ servers: [standIn.url], broker: 'memphis' });
  await memphis.createStation(STATION, { storageType: 'memory' });
  const { username, password, port } = new URL(standIn.url);
  const none = (): never => {
    throw new Error('This scene has no durables but that of our group.');
  };
  return {
    broker: { port: Number(port), version: standIn.server.version },
    folder,
    env: (_, url = standIn.url) => ({
      MEMPHIS_SERVERS: `memphis://${username}:${password}@${new URL(url).host}`,
      MEMPHIS_BROKER: 'memphis',
      MEMPHIS_TLS: 'false',
    }),
    async fill(count, bytes = 100) {
      const data = Buffer.alloc(bytes, 'x');
      for (const result of await memphis.produceBatch(STATION, Array<Buffer>(count).fill(data))) {
        if (!result.ok) throw result.error;
      }
    },
    async clear() {
      await memphis.fetchMessages(STATION, { group: ours.name, batchMaxWaitMs: 0 });
    },
    makeDurable: none,
    dropDurable: none,
    unsettled: none,
    async [Symbol.asyncDispose]() {
      await memphis.close();
      await standIn[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
