/** Runs what docs/client.md, "Connecting", shows: a cluster with TLS and .creds, by options and by variables alone. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from '../../src/index.ts';
import { ensureNatsServer } from '../../src/testing/index.ts';
import { makeAuthority, writeFiles } from '../support/certificates.ts';
import { startCluster } from '../support/cluster.ts';
import { makeOperator } from '../support/operator.ts';

const snippets = join(import.meta.dirname, '../docs/snippets');

/** The variables that the page lists, with other values. */
async function variables(values: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const page = await readFile(join(import.meta.dirname, '../../docs/client.md'), 'utf8');
  const block = /^## Connecting$[\s\S]*?^```sh\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '';
  const names = [...block.matchAll(/^(\w+)=/gm)].map(([, name = '']) => name);
  assert.deepEqual(names.sort(), Object.keys(values).sort());
  return values;
}

test('the snippet of connecting, and its variables, reach a cluster over TLS with .creds', async () => {
  const authority = await makeAuthority();
  const server = await authority.issue({ name: 'server', dns: ['localhost'], ips: ['127.0.0.1'] });
  const site = await makeOperator();
  await using files = await writeFiles({ ...server, creds: await site.credsOf() });
  const [, jwt = '', seed = ''] =
    /\n(eyJ\S+)\n[\s\S]*\n(SU\S+)\n/.exec(await readFile(files.paths.creds, 'utf8')) ?? [];
  await using cluster = await startCluster(await ensureNatsServer(), {
    config: `tls { cert_file: "${files.paths.cert}", key_file: "${files.paths.key}", timeout: 5 }\n${site.config}`,
    dial: { tls: { ca: authority.ca }, credentials: { kind: 'jwt', jwt, seed } },
  });
  const memphis = await connect({ servers: cluster.urls, creds: files.paths.creds, tls: { ca: authority.ca } });
  await memphis.createStation('orders', { replicas: 3 });
  await memphis.close();

  const folder = await mkdtemp(join(tmpdir(), 'memphis-serverless-test-'));
  try {
    await mkdir(join(folder, 'secrets/nats'), { recursive: true });
    await mkdir(join(folder, 'certificates'));
    await writeFile(join(folder, 'secrets/nats/orders.creds'), await readFile(files.paths.creds));
    await writeFile(join(folder, 'certificates/ca.pem'), authority.ca);
    const urls = cluster.nodes.slice(0, 2).map(({ port }) => `tls://localhost:${port}`);
    const run = (file: string, env: Record<string, string>): string => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--conditions=@memphis-serverless/source', join(snippets, file)],
        { encoding: 'utf8', timeout: 30_000, cwd: folder, env: { ...process.env, ...env } },
      );
      assert.equal(status, 0, stderr);
      return stdout;
    };
    assert.match(run('connecting.ts', { NATS_URLS: urls.join() }), /station: 'orders'[\s\S]*duplicate: false/);
    const env = await variables({
      MEMPHIS_SERVERS: urls.join(),
      MEMPHIS_CREDS: 'secrets/nats/orders.creds',
      MEMPHIS_TLS_CA: authority.ca.replaceAll('\n', '\\n'),
    });
    assert.match(run('client.ts', env), /^a-1 1$/m);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
