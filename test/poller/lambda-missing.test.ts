/** A file of its own: it makes the AWS SDK unloadable for its process. */

import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';
import { createPoller } from '../../src/poller/index.ts';
import { fakeStation } from './fakes.ts';

test('without the AWS SDK a run says what to install, before it pulls anything', async () => {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('@aws-sdk/')) throw new Error(`Cannot find package ${specifier}`);
      return next(specifier, context);
    },
  });
  const station = fakeStation();
  const poller = createPoller({
    mappings: [{ station: 'orders', group: 'billing', functionName: 'bill' }],
    connection: station.connection,
  });
  await assert.rejects(poller.run(), { code: 'DEPENDENCY_MISSING', message: /npm install @aws-sdk\/client-lambda/ });
  assert.deepEqual(station.pulls, []);
  hooks.deregister();
});
