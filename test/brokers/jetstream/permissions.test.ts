/** Users who lack a permission hear so, at once, and keep their connection. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError } from '../../../src/index.ts';
import { type RunningBroker, startBroker } from '../../../src/testing/start-broker.ts';
import { serversUnderTest } from '../../support/servers.ts';

const users = `authorization { users: [
  { user: all, password: x }
  { user: deaf, password: x, permissions: { subscribe: { deny: ["_INBOX.>"] } } }
  { user: nopull, password: x, permissions: { publish: { deny: ["$JS.API.CONSUMER.MSG.NEXT.>"] } } }
] }`;

for (const { binary, version } of serversUnderTest()) {
  describe(`permissions on nats-server ${version}`, () => {
    let broker: RunningBroker;
    const as = (username: string): Promise<Client> => connect({ servers: [broker.url], username, password: 'x' });
    before(async () => {
      broker = await startBroker({ binary, config: users });
      const owner = await as('all');
      await owner.createStation('jobs', { storageType: 'memory' });
      await owner.close();
    });
    after(() => broker.stop());

    const denied = (username: string, batchMaxWaitMs: number) => async () => {
      const memphis = await as(username);
      const startedAt = performance.now();
      try {
        await assert.rejects(memphis.fetchMessages('jobs', { group: 'g', batchMaxWaitMs }), (error) =>
          isMemphisError(error, 'PERMISSION_DENIED'),
        );
        assert.ok(performance.now() - startedAt < 5_000, 'no patience with a refusal');
        assert.ok(memphis.isConnected());
      } finally {
        await memphis.close();
      }
    };
    test('a user who may not listen for answers', denied('deaf', 0));
    test('a user who may not pull', denied('nopull', 0));
    test('a user who may not pull, with a wait', denied('nopull', 2_000));
  });
}
