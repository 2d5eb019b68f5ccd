/** TLS with real servers: who is trusted, what is demanded on either side, and that nothing leaves in clear unasked. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { withMemphis } from '../../src/lambda/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { type Authority, type Certificate, type Files, makeAuthority, writeFiles } from '../support/certificates.ts';
import { makeOperator } from '../support/operator.ts';
import { serversUnderTest } from '../support/servers.ts';
import { fails, works } from '../support/works.ts';

const here = { dns: ['localhost', 'broker.internal'], ips: ['127.0.0.1'] };
type Name = 'ca' | 'cert' | 'key' | 'oldCert' | 'oldKey' | 'elsewhereCert' | 'elsewhereKey';

let authority: Authority;
let stranger: Authority;
let client: Certificate;
let foreign: Certificate;
let files: Files<Name>;
before(async () => {
  [authority, stranger] = await Promise.all([makeAuthority(), makeAuthority('stranger')]);
  const server = await authority.issue({ name: 'server', ...here });
  const old = await authority.issue({ name: 'server', ...here, expiredMs: 60_000 });
  const elsewhere = await authority.issue({ name: 'server', dns: ['elsewhere.example'] });
  client = await authority.issue({ name: 'client' });
  foreign = await stranger.issue({ name: 'client' });
  files = await writeFiles<Name>({
    ca: authority.ca,
    cert: server.cert,
    key: server.key,
    oldCert: old.cert,
    oldKey: old.key,
    elsewhereCert: elsewhere.cert,
    elsewhereKey: elsewhere.key,
  });
});
after(() => files[Symbol.asyncDispose]());

const serverTls = (cert: Name, key: Name, more = ''): string =>
  `tls { cert_file: "${files.paths[cert]}", key_file: "${files.paths[key]}", timeout: 5 ${more} }`;

for (const { binary, version } of serversUnderTest()) {
  describe(`TLS on nats-server ${version}`, () => {
    const brokers: RunningBroker[] = [];
    const start = async (config?: string): Promise<RunningBroker> => {
      const broker = await startBroker({ binary, ...(config === undefined ? {} : { config }) });
      brokers.push(broker);
      return broker;
    };
    let plain: RunningBroker;
    let encrypted: RunningBroker;
    let mutual: RunningBroker;
    before(async () => {
      plain = await start();
      encrypted = await start(serverTls('cert', 'key'));
      mutual = await start(serverTls('cert', 'key', `, ca_file: "${files.paths.ca}", verify: true`));
    });
    after(async () => {
      for (const broker of brokers) await broker.stop();
    });

    test('an authority of our own works as text and as a path, by address and by name, behind each scheme', async () => {
      const { port } = encrypted;
      for (const server of [`nats://127.0.0.1:${port}`, `tls://localhost:${port}`, `127.0.0.1:${port}`]) {
        await works({ servers: [server], tls: { ca: authority.ca } });
        await works({ servers: [server], tls: { ca: files.paths.ca } });
      }
      await works({ servers: [encrypted.url], tls: { ca: `${stranger.ca}\n${authority.ca}` } });
      await works({ servers: [encrypted.url], tls: { ca: authority.ca.replaceAll('\n', '\\n') } });
    });

    test('authorities that Node trusts are enough for tls: true, for tls:// and for a server that asks for TLS', async () => {
      const script = `
        import { connect } from 'memphis-serverless';
        for (const options of JSON.parse(process.argv[1])) await (await connect(options)).close();`;
      const { port, url } = encrypted;
      const options = [
        { servers: [url], tls: true },
        { servers: [`tls://localhost:${port}`] },
        { servers: [`tls://127.0.0.1:${port}`] },
        { servers: [url] },
        { servers: [`nats://localhost:${port}`] },
      ];
      const flags = ['--conditions=@memphis-serverless/source', '--input-type=module', '-e', script];
      const env = { ...process.env, NODE_EXTRA_CA_CERTS: files.paths.ca };
      await promisify(execFile)(process.execPath, [...flags, JSON.stringify(options)], { env, timeout: 20_000 });
    });

    test('a server that nobody vouches for is TLS_FAILED, however TLS came about', async () => {
      for (const options of [{ tls: true }, { tls: { ca: stranger.ca } }, {}]) {
        const error = await fails({ servers: [encrypted.url], ...options }, 'TLS_FAILED');
        assert.match(error.message, /tls\.ca/);
        assert.equal(error.retryable, false);
      }
      await fails({ servers: [`tls://127.0.0.1:${encrypted.port}`] }, 'TLS_FAILED');
    });

    test('an expired certificate and one for another name are TLS_FAILED; serverName says which name is meant', async () => {
      const tls = { ca: authority.ca };
      const old = await start(serverTls('oldCert', 'oldKey'));
      assert.match((await fails({ servers: [old.url], tls }, 'TLS_FAILED')).message, /expired/);
      const elsewhere = await start(serverTls('elsewhereCert', 'elsewhereKey'));
      assert.match((await fails({ servers: [elsewhere.url], tls }, 'TLS_FAILED')).message, /serverName/);
      await works({ servers: [elsewhere.url], tls: { ...tls, serverName: 'elsewhere.example' } });
      await fails({ servers: [encrypted.url], tls: { ...tls, serverName: 'elsewhere.example' } }, 'TLS_FAILED');
      await works({ servers: [encrypted.url], tls: { ...tls, serverName: 'broker.internal' } });
    });

    test('a client certificate works as text and as paths; without one, or with one of a stranger, it is TLS_FAILED', async () => {
      const ca = authority.ca;
      await works({ servers: [mutual.url], tls: { ca, ...client } });
      await using paths = await writeFiles(client);
      await works({ servers: [mutual.url], tls: { ca: files.paths.ca, ...paths.paths } });
      for (let i = 0; i < 10; i++) {
        // TLS 1.3: the refusal comes after the handshake, and is sometimes lost behind a reset
        for (const own of [{}, foreign]) {
          const error = await fails({ servers: [mutual.url], tls: { ca, ...own } }, 'TLS_FAILED', [foreign.key]);
          assert.match(error.message, /tls\.cert/);
        }
      }
    });

    test('TLS is never off in silence, and never on against tls: false', async () => {
      for (const options of [{ tls: true }, { tls: { ca: authority.ca } }]) {
        const error = await fails({ servers: [plain.url], ...options }, 'TLS_FAILED');
        assert.match(error.message, /no TLS/);
      }
      await fails({ servers: [`tls://127.0.0.1:${plain.port}`] }, 'TLS_FAILED');
      assert.match((await fails({ servers: [encrypted.url], tls: false }, 'TLS_FAILED')).message, /demands TLS/);
      await works({ servers: [plain.url], tls: false });
      await works({ servers: [plain.url] });
    });

    test('where a server offers TLS, that is used unless plaintext is meant', async () => {
      const both = await start(`${serverTls('cert', 'key')}\nallow_non_tls: true`);
      await fails({ servers: [both.url] }, 'TLS_FAILED');
      await works({ servers: [both.url], tls: { ca: authority.ca } });
      await works({ servers: [both.url], tls: false });
    });

    test('PEM texts that cannot be used are INVALID_OPTION, and not shown', async () => {
      const ca = authority.ca;
      const hush = ca.replace(/\n[\s\S]+\n/, '\nhush-hush\n');
      for (const tls of [
        { ca: hush },
        { ca: 'hush-hush' },
        { ca: `${files.paths.ca}.missing` },
        { ca, cert: hush, key: client.key },
        { ca, cert: client.cert, key: client.key.replace(/\n[\s\S]+\n/, '\nhush-hush\n') },
        { ca, cert: client.cert, key: foreign.key },
        { ca, cert: client.cert },
        { ca, key: client.key },
        { ca: '' },
      ]) {
        await fails({ servers: [encrypted.url], tls }, 'INVALID_OPTION', ['hush-hush', client.key, foreign.key]);
      }
    });

    test('a function pulls with .creds over TLS', async () => {
      const site = await makeOperator();
      const broker = await start(`${serverTls('cert', 'key')}\n${site.config}`);
      const connection = { servers: [broker.url], creds: await site.credsOf(), tls: { ca: files.paths.ca } };
      await works(connection);
      const handler = withMemphis(() => {}, { ...connection, station: 'nowhere', group: 'g' });
      await assert.rejects(handler({}, {} as never), { code: 'STATION_NOT_FOUND' });
    });

    test('TLS from the first byte', { skip: version.startsWith('2.9.') && 'since 2.10.4' }, async () => {
      // the server waits so long for a client that speaks first before it greets in clear, as the test kit needs it
      const first = await start(serverTls('cert', 'key', ', handshake_first: "900ms"'));
      const dial = { servers: [first.url], timeoutMs: 600 };
      await works({ ...dial, tls: { ca: authority.ca } });
      await works({ ...dial, tls: { ca: authority.ca, handshakeFirst: true } });
      await fails({ ...dial, tls: { ca: stranger.ca, handshakeFirst: true } }, 'TLS_FAILED');
      for (const { url } of [plain, encrypted]) {
        // that it must be so is for the client to say: a word in clear is not believed
        const error = await fails({ servers: [url], tls: { ca: authority.ca, handshakeFirst: true } }, 'TLS_FAILED');
        assert.match(error.message, /handshakeFirst/);
      }
    });
  });
}
