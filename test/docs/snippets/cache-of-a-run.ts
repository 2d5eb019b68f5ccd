/** Makes a code cache of what dist/index.js does first, behind your bundler: `node cache-of-a-run.ts`. */

import { spawnSync } from 'node:child_process';
import { connect } from 'memphis-serverless';
import { ensureNatsServer, startBroker } from 'memphis-serverless/testing';

const broker = await startBroker({ binary: await ensureNatsServer() });
const memphis = await connect({ servers: [broker.url] });
await memphis.createStation('orders', { storageType: 'memory' });
for (let id = 0; id < 20; id++) await memphis.produce('orders', { id }); // two batches
await memphis.close();

const runs = ['--run', '-', '--run', '-'];
const { status } = spawnSync('npx', ['memphis-serverless', 'code-cache', 'dist/index.js', ...runs], {
  input: '{}',
  env: { ...process.env, MEMPHIS_SERVERS: broker.url, MEMPHIS_BROKER: 'jetstream', MEMPHIS_TLS: 'false' },
  stdio: ['pipe', 'inherit', 'inherit'],
});
await broker.stop();
process.exitCode = status ?? 1;
