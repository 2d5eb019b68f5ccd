/** Makes a code cache of what dist/index.js does first, behind your bundler: `node cache-of-a-run.ts`. */

import { spawnSync } from 'node:child_process';
import { connect } from 'memphis-serverless';
import { ensureNatsServer, startBroker } from 'memphis-serverless/testing';

const broker = await startBroker({ binary: await ensureNatsServer() });
const memphis = await connect({ servers: [broker.url] });
await memphis.createStation('orders', { storageType: 'memory' });
for (const id of ['a-1', 'a-2']) await memphis.produce('orders', { id });
await memphis.close();

const { status } = spawnSync('npx', ['memphis-serverless', 'code-cache', 'dist/index.js', '--run', '-'], {
  input: '{}',
  env: { ...process.env, MEMPHIS_SERVERS: broker.url, MEMPHIS_BROKER: 'jetstream', MEMPHIS_TLS: 'false' },
  stdio: ['pipe', 'inherit', 'inherit'],
});
await broker.stop();
process.exitCode = status ?? 1;
