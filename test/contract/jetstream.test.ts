/** The broker contract on JetStream: each nats-server of this machine. */

import { after, before, describe, test } from 'node:test';
import { brokerContract, type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { openJetStream } from '../support/jetstream-subject.ts';
import { serversUnderTest } from '../support/servers.ts';

for (const { binary, version } of serversUnderTest()) {
  // most of a case's time is waiting, so they run beside each other
  describe(`nats-server ${version}`, { concurrency: 12 }, () => {
    let server: RunningBroker;
    before(async () => {
      server = await startBroker({ binary });
    });
    after(() => server.stop());

    for (const { name, run } of brokerContract) {
      test(name, async () => {
        await using subject = await openJetStream([server.port]);
        await run(subject);
      });
    }
  });
}
