/** The broker contract on the broker in memory, on a clock that stands still: nothing here waits. */

import { test } from 'node:test';
import { brokerContract, type ContractSubject, makeFakeClock, makeMemoryBroker } from '../../src/testing/index.ts';

function openSubject(): ContractSubject {
  const clock = makeFakeClock();
  const broker = makeMemoryBroker({ clock });
  return {
    broker,
    admin: broker,
    maxPayloadBytes: 1_048_576,
    pass: (ms) => clock.advance(ms),
    crash: async () => {
      broker.crash();
      return broker;
    },
  };
}

for (const { name, run } of brokerContract) test(name, () => run(openSubject()));
