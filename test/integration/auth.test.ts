/** Credentials of every kind, on real servers that demand them: good, wrong, expired, rotated, malformed. */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { createAccount, createUser } from '@nats-io/nkeys';
import { type ConnectOptions, connect, isMemphisError } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/start-broker.ts';
import { writeFiles } from '../support/certificates.ts';
import { makeOperator, type OperatorSite } from '../support/operator.ts';
import { serversUnderTest } from '../support/servers.ts';
import { fails, works } from '../support/works.ts';

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const seedOf = (text: string): string => /S[UA][A-Z2-7]{56}/.exec(text)?.[0] ?? '';
/** A seed of the right form whose checksum does not fit. Not its last letter: two of that one's bits stand for nothing. */
const damaged = (seed: string): string => `${seed.slice(0, -9)}${seed.at(-9) === 'A' ? 'B' : 'A'}${seed.slice(-8)}`;

for (const { binary, version } of serversUnderTest()) {
  describe(`credentials on nats-server ${version}`, () => {
    let site: OperatorSite;
    let guarded: RunningBroker;
    let nkeyed: RunningBroker;
    const user = createUser();
    const seed = decode(user.getSeed());
    before(async () => {
      site = await makeOperator();
      guarded = await startBroker({ binary, config: site.config });
      nkeyed = await startBroker({
        binary,
        config: `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`,
      });
    });
    after(async () => {
      await guarded.stop();
      await nkeyed.stop();
    });

    test('.creds work as text, as text on one line, as a path, and from functions of either', async () => {
      const creds = await site.credsOf();
      await using files = await writeFiles({ creds });
      const servers = [guarded.url];
      for (const given of [
        creds,
        creds.replaceAll('\n', '\\n'),
        creds.replaceAll('\n', '\r\n'),
        files.paths.creds,
        () => creds,
        async () => files.paths.creds,
      ]) {
        await works({ servers, creds: given });
      }
    });

    test('an nkey works as a seed, as a file with or without decoration, and from functions', async () => {
      const decorated = `-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
      await using files = await writeFiles({ bare: `${seed}\n`, decorated });
      const servers = [nkeyed.url];
      for (const nkey of [seed, decorated, files.paths.bare, files.paths.decorated, () => seed, async () => seed]) {
        await works({ servers, nkey });
      }
    });

    test('a function pulls with .creds', async () => {
      const creds = await site.credsOf();
      const memphis = await connect({ servers: [guarded.url], creds });
      await memphis.createStation('jobs', { storageType: 'memory' });
      await memphis.produce('jobs', 'one');
      const seen: string[] = [];
      const handler = withMemphis(
        async (messages) => {
          for (const message of messages) seen.push(message.text());
        },
        { servers: [guarded.url], creds, station: 'jobs', group: 'g', batchMaxWaitMs: 2_000 },
      );
      await handler({}, {} as never);
      assert.deepEqual(seen, ['one']);
      await memphis.close();
    });

    test('wrong, foreign, expired and missing credentials are AUTHENTICATION_FAILED and shown nowhere', async () => {
      const foreign = await (await makeOperator()).credsOf();
      const expired = await site.credsOf({ expiresInSeconds: -60 });
      const creds = await site.credsOf();
      const other = await site.credsOf();
      const mixed = creds.replace(seedOf(creds), seedOf(other));
      const stranger = decode(createUser().getSeed());
      const servers = [guarded.url];
      await fails({ servers, creds: foreign }, 'AUTHENTICATION_FAILED', [seedOf(foreign)]);
      await fails({ servers, creds: expired }, 'AUTHENTICATION_FAILED', [seedOf(expired)]);
      await fails({ servers, creds: mixed }, 'AUTHENTICATION_FAILED', [seedOf(mixed)]);
      await fails({ servers }, 'AUTHENTICATION_FAILED', []);
      await fails({ servers, username: 'u', password: 'hush-hush' }, 'AUTHENTICATION_FAILED', ['hush-hush']);
      await fails({ servers, nkey: seed }, 'AUTHENTICATION_FAILED', [seed]);
      await fails({ servers: [nkeyed.url], nkey: stranger }, 'AUTHENTICATION_FAILED', [stranger]);
      await fails({ servers: [nkeyed.url], connectionToken: 'hush-hush' }, 'AUTHENTICATION_FAILED', ['hush-hush']);
    });

    test('texts that cannot be credentials are INVALID_OPTION and shown nowhere', async () => {
      const creds = await site.credsOf();
      const account = decode(createAccount().getSeed());
      await using files = await writeFiles({ empty: '', noSeed: creds.split('*****')[0] ?? '' });
      const cut = seed.slice(0, -3);
      const invalid: [ConnectOptions, string][] = [
        [{ creds: '' }, 'creds'],
        [{ creds: 'hush-hush' }, 'creds'],
        [{ creds: files.paths.empty }, 'creds'],
        [{ creds: files.paths.noSeed }, 'creds'],
        [{ creds: `${files.paths.empty}.missing` }, 'creds'],
        [{ creds: creds.replace(/-+END USER NKEY SEED-+/, '') }, 'creds'],
        [{ creds: creds.replace(seedOf(creds), damaged(seedOf(creds))) }, 'creds'],
        [{ creds: creds.replace(seedOf(creds), account) }, 'creds'],
        [{ creds: creds.replace(/\neyJ\S+/, '\nhush-hush') }, 'creds'],
        [{ creds: () => '' }, 'creds'],
        [{ creds: (() => undefined) as never }, 'creds'],
        [{ nkey: '' }, 'nkey'],
        [{ nkey: cut }, 'nkey'],
        [{ nkey: damaged(seed) }, 'nkey'],
        [{ nkey: account }, 'nkey'],
        [{ nkey: user.getPublicKey() }, 'nkey'],
        [{ nkey: files.paths.empty }, 'nkey'],
        [{ nkey: async () => cut }, 'nkey'],
        [{ username: 'u', password: (async () => 7) as never }, 'password'],
        [{ connectionToken: () => '' }, 'connectionToken'],
      ];
      const secrets = [seed, damaged(seed), cut, account, seedOf(creds), 'hush-hush'];
      for (const [options, option] of invalid) {
        const error = await fails({ servers: [guarded.url], ...options }, 'INVALID_OPTION', secrets);
        assert.equal(error.option, option);
      }
    });

    test('what a function throws, and a function that never answers, end as CONNECT_FAILED', async () => {
      for (const option of ['creds', 'nkey', 'connectionToken'] as const) {
        const throwing = () => Promise.reject(new Error('the store is down'));
        await assert.rejects(connect({ servers: [guarded.url], [option]: throwing }), (error) => {
          assert.ok(isMemphisError(error, 'CONNECT_FAILED'), String(error));
          assert.equal((error.cause as Error).message, 'the store is down');
          return error.option === option && error.retryable;
        });
        const hanging = { servers: [guarded.url], [option]: () => new Promise<string>(() => {}), timeoutMs: 150 };
        await assert.rejects(connect(hanging), (error) => isMemphisError(error, 'CONNECT_FAILED'));
      }
    });

    test('credentials are asked for at each dial: a function that rotates outlives its first credentials', async () => {
      let asked = 0;
      const creds = async (): Promise<string> => site.credsOf(++asked === 1 ? { expiresInSeconds: 2 } : {});
      const memphis = await connect({ servers: [guarded.url], creds });
      await memphis.createStation('rotating', { storageType: 'memory' });
      for (const deadline = Date.now() + 10_000; memphis.isConnected() && Date.now() < deadline; ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.equal(memphis.isConnected(), false, 'the server ends a session whose user has expired');
      await memphis.produce('rotating', 'still here');
      assert.equal(asked, 2);
      await memphis.close();
    });

    test('credentials that expire under load, again and again, make nothing fail where a function has fresh ones', async () => {
      let asked = 0;
      const creds = (): Promise<string> => {
        asked++;
        return site.credsOf({ expiresInSeconds: 2 });
      };
      const memphis = await connect({ servers: [guarded.url], creds });
      await memphis.createStation('busy', { storageType: 'memory' });
      let sent = 0;
      const lanes = Array.from({ length: 5 }, async () => {
        while (asked < 4) await memphis.produce('busy', String(sent++));
      });
      await Promise.all(lanes);
      const seen = new Set<string>();
      for (let isEmpty = false; !isEmpty; ) {
        const messages = await memphis.fetchMessages('busy', { group: 'g', batchSize: 5_000, batchMaxWaitMs: 500 });
        for (const message of messages) seen.add(message.text());
        await Promise.all(messages.map((message) => message.ack()));
        isEmpty = messages.length === 0;
      }
      assert.equal(seen.size, sent);
      await memphis.close();
    });

    test('a file is read at each dial: credentials that are replaced on disk are met', async () => {
      await using files = await writeFiles({ creds: await site.credsOf({ expiresInSeconds: 2 }) });
      const memphis = await connect({ servers: [guarded.url], creds: files.paths.creds });
      await memphis.createStation('replaced', { storageType: 'memory' });
      await writeFile(files.paths.creds, await site.credsOf());
      for (const deadline = Date.now() + 10_000; memphis.isConnected() && Date.now() < deadline; ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await memphis.produce('replaced', 'still here');
      await memphis.close();
    });

    test('credentials that expired while the session was open are AUTHENTICATION_FAILED at the next use', async () => {
      const memphis = await connect({ servers: [guarded.url], creds: await site.credsOf({ expiresInSeconds: 2 }) });
      await memphis.createStation('expiring', { storageType: 'memory' });
      for (const deadline = Date.now() + 10_000; memphis.isConnected() && Date.now() < deadline; ) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      // servers count in whole seconds: in the one in which they expire, credentials are still accepted
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await assert.rejects(memphis.produce('expiring', 'late', { ackWaitMs: 3_000 }), (error) =>
        isMemphisError(error, 'AUTHENTICATION_FAILED'),
      );
      await memphis.close();
    });

    test('an account without JetStream is JETSTREAM_UNAVAILABLE', async () => {
      const bare = await makeOperator(false);
      await using broker = await startBroker({ binary, config: bare.config });
      const memphis = await connect({ servers: [broker.url], creds: await bare.credsOf() });
      await assert.rejects(memphis.produce('s', 'x', { ackWaitMs: 500 }), (error) =>
        isMemphisError(error, 'JETSTREAM_UNAVAILABLE'),
      );
      await memphis.close();
    });
  });
}
