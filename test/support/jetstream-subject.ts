/** A JetStream driver as the broker contract wants it: real time, real servers, a session of its own. */

import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamAdmin } from '../../src/brokers/jetstream/admin.ts';
import type { JetStreamBroker } from '../../src/brokers/jetstream/broker.ts';
import { destroyGroup } from '../../src/brokers/jetstream/destroy-group.ts';
import { streamReadersOf } from '../../src/brokers/jetstream/readers.ts';
import { makeSession } from '../../src/client/session.ts';
import type { ReaderOptions, WholeBroker } from '../../src/model/broker.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { lookUp } from '../../src/schemas/look-up.ts';
import type { ContractSubject } from '../../src/testing/broker-contract.ts';
import { whole } from './whole-broker.ts';

/** What belongs to a subject, and has to end with it. */
export interface OpenSubject extends ContractSubject, AsyncDisposable {}

/**
 * Connects to servers, the first of them at first.
 *
 * @param ports of the servers
 * @param replicas of each station
 */
export async function openJetStream(ports: readonly number[], replicas = 1): Promise<OpenSubject> {
  const opened: (() => Promise<void>)[] = [];
  const open = async (): Promise<JetStreamBroker & WholeBroker> => {
    const servers = ports.map((port) => `nats://127.0.0.1:${port}`);
    // stated, so that the first requests leave with the credentials
    const stated = { broker: 'jetstream', tls: false };
    const session = makeSession(resolveOptions('contract', connectOptions, { servers, ...stated }), lookUp);
    opened.push(() => session.close());
    return whole((await session.broker()) as JetStreamBroker);
  };
  const broker = await open();
  const admin = await open();
  return {
    broker,
    // who reads ends its group, the rest another client
    admin: Object.assign(new JetStreamAdmin(admin), {
      destroyGroup: (options: ReaderOptions) => destroyGroup(streamReadersOf(broker), options),
    }),
    maxPayloadBytes: 1_048_576,
    replicas,
    pass: async (ms, until) => {
      const over = new AbortController();
      const passed = sleep(ms, undefined, { signal: over.signal }).catch(() => {});
      await Promise.race([passed, ...(until === undefined ? [] : [until.catch(() => {})])]);
      over.abort();
    },
    crash: async () => {
      await opened[0]?.(); // what it held stays unsettled: the broker sees no difference
      opened.shift();
      const next = await open();
      opened.unshift(opened.pop() as () => Promise<void>);
      return next;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((close) => close()));
    },
  };
}
