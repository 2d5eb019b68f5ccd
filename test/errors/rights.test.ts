/**
 * Users of a broker who may do some things only. With the rights that docs/architecture.md lists, and no others, each kind
 * of work can be done; without one of them it ends at once with PERMISSION_DENIED, or as the table says, and nothing is lost.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, type FetchMessagesOptions, isMemphisError, type Message } from '../../src/index.ts';
import { type RunningBroker, startBroker } from '../../src/testing/index.ts';
import { type RawApi, withRawApi } from '../support/raw-api.ts';
import { documented, ownRights, rightsTo, userWith, userWithout } from '../support/rights.ts';
import { serversUnderTest } from '../support/servers.ts';

const group = 'g.1';
const HOUR_MS = 3_600_000;

interface Work {
  /** By the owner of everything, before. Each station has two partitions and two messages, `a` and `b`. */
  readonly prepare?: (owner: Client, station: string, api: RawApi) => Promise<unknown>;
  readonly run: (memphis: Client, station: string, owner: Client) => Promise<unknown>;
  /** Nothing of it finishes a message. */
  readonly keepsAll?: true;
  /** Subjects without which the work is done all the same, or otherwise: as the table says. */
  readonly spared?: RegExp;
}

const fetchBoth = async (memphis: Client, station: string, more: FetchMessagesOptions = {}): Promise<Message[]> => {
  const options = { group, batchMaxWaitMs: 1_000, maxAckTimeMs: 30_000, ...more };
  const messages = await memphis.fetchMessages(station, options);
  // trouble of one partition is told when nothing is in hand of the other
  if (messages.length < 2) messages.push(...(await memphis.fetchMessages(station, options)));
  assert.equal(messages.length, 2);
  return messages.sort((a, b) => a.partition - b.partition);
};
const recordOf = (station: string): string => `$KV.memphis_serverless.station.${station}`;
const each = async (memphis: Client, station: string, settle: (message: Message) => Promise<void>): Promise<void> => {
  for (const message of await fetchBoth(memphis, station)) await settle(message);
};
/** Messages of the group that are to be done, or are dead letters. */
async function countUndone(owner: Client, station: string): Promise<number> {
  const { groups, partitions, deadLetters } = await owner.describeStation(station);
  const found = groups.find(({ name }) => name === group);
  // where the group has not begun, it has all before it
  const undone = partitions.map(({ partition, messages }) => {
    const state = found?.partitions.find((one) => one.partition === partition);
    return state === undefined ? messages : state.pending + state.ackPending;
  });
  return undone.reduce((sum, count) => sum + count, deadLetters + (found?.comingBack ?? 0));
}

const setAside = (owner: Client, station: string): Promise<void> =>
  each(owner, station, (message) => message.deadLetter('why'));
const allPutBack = (results: readonly { readonly outcome: string; readonly error?: unknown }[]): void => {
  for (const { error } of results) if (error !== undefined) throw error;
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    ['redriven', 'redriven'],
  );
};

const work: Readonly<Record<string, Work>> = {
  produce: {
    run: async (memphis, station) => {
      const producer = await memphis.createProducer(station);
      await producer.produce('x', { partition: 1 });
      await producer.produce('x', { partition: 2 });
    },
  },
  'tell that a station is gone': {
    run: async (memphis, station, owner) => {
      for (const partition of [1, 2]) await memphis.produce(station, 'x', { partition });
      await owner.destroyStation(station);
      await memphis.produce(station, 'x', { partition: 1 }).catch((error: unknown) => {
        if (!isMemphisError(error, 'STATION_NOT_FOUND')) throw error;
      });
    },
    spared: /STREAM\.INFO\..*2$/, // one partition is enough to tell
  },
  'find one without a record': {
    prepare: (_, station, api) => api('STREAM.PURGE.KV_memphis_serverless', { filter: recordOf(station) }),
    run: async (memphis, station) => assert.equal((await memphis.createProducer(station)).station, station),
  },
  pull: { run: (memphis, station) => fetchBoth(memphis, station), keepsAll: true },
  'begin at the last messages': {
    run: (memphis, station) => fetchBoth(memphis, station, { lastMessages: 1 }),
  },
  settle: {
    run: (memphis, station) => each(memphis, station, (message) => message.ack()),
  },
  'meet copies': {
    prepare: async (owner, station) => {
      await setAside(owner, station);
      await owner.deadLetters(station).redriveAll();
    },
    run: (memphis, station) => each(memphis, station, (message) => message.ack()),
    // the durables are there, with the same time to settle; nothing comes by the group's own
    spared: /DURABLE\.CREATE|CONSUMER\.NAMES|MSG\.NEXT\.[^$]*\$\d\.|ACK\.[^$]*\$\d\./,
  },
  'dead-letter': { run: setAside, keepsAll: true },
  'make the stream of dead letters': {
    prepare: (_, station, api) => api(`STREAM.DELETE.${station.replaceAll('.', '#')}$dls`),
    run: setAside,
    keepsAll: true,
    spared: /STREAM\.INFO\..*2$/, // asked for once, by the first of the two messages
  },
  park: {
    run: (memphis, station) => each(memphis, station, (message) => message.delay(HOUR_MS)),
    keepsAll: true,
    spared: /\$retry|STREAM\.INFO/,
  },
  'note what is given back': {
    run: async (memphis, station) => {
      const options = { maxMsgDeliveries: 1, maxAckTimeMs: 30_000, batchMaxWaitMs: 2_000 };
      const consumer = await memphis.createConsumer(station, { group, ...options });
      for await (const message of consumer) {
        await message.ack();
        break; // the other one was fetched with it, and goes back
      }
      const [other] = await consumer.fetch();
      assert.equal(other?.deliveryCount, 1, 'it is handed out again, with its last delivery');
      await other.ack();
    },
    spared: /KV_memphis|\$KV\.|\$2|ACK/, // without a note it ends as a dead letter; one partition is enough to fail
  },
  'destroy a group': {
    prepare: async (owner, station) => {
      await setAside(owner, station);
      await owner.deadLetters(station).redriveAll();
    },
    run: async (memphis, station) => (await memphis.createConsumer(station, { group })).destroy(),
  },
  'make a station': {
    prepare: (owner, station) => owner.destroyStation(station),
    run: (memphis, station) => memphis.createStation(station, { partitionsNumber: 2 }),
    spared: /CREATE\.KV_/, // the bucket is there
  },
  'destroy a station': {
    prepare: async (owner, station) => {
      await setAside(owner, station);
      await owner.deadLetters(station).redriveAll();
    },
    run: (memphis, station) => memphis.destroyStation(station),
  },
  'describe a station': { run: (memphis, station) => memphis.describeStation(station) },
  'list stations': { run: (memphis) => memphis.listStations(), spared: /CONSUMER\.DELETE/ },
  'count dead letters': { prepare: setAside, run: (memphis, station) => memphis.deadLetters(station).count() },
  'list dead letters': {
    prepare: setAside,
    run: (memphis, station) => memphis.deadLetters(station).list(),
    spared: /CONSUMER\.DELETE/,
  },
  'read a dead letter': { prepare: setAside, run: (memphis, station) => memphis.deadLetters(station).get(1) },
  'drop dead letters': { prepare: setAside, run: (memphis, station) => memphis.deadLetters(station).drop([1, 2]) },
  'drop all dead letters': { prepare: setAside, run: (memphis, station) => memphis.deadLetters(station).dropAll() },
  'put back': {
    prepare: setAside,
    run: async (memphis, station) => allPutBack(await memphis.deadLetters(station).redrive([1, 2])),
    spared: /\.later\.|STREAM\.UPDATE|STREAM\.INFO\..*\$retry/, // for what waits; older servers are not asked
  },
  'put all back': {
    prepare: setAside,
    run: async (memphis, station) => allPutBack(await memphis.deadLetters(station).redriveAll()),
    spared: /\.later\.|STREAM\.UPDATE|STREAM\.INFO\..*\$retry|CONSUMER\.DELETE|MSG\.GET\..*\$dls/,
  },
  'put all back into the station': {
    prepare: setAside,
    run: async (memphis, station) => allPutBack(await memphis.deadLetters(station).redriveAll({ to: 'station' })),
    spared: /CONSUMER\.DELETE/,
  },
};

/** Rows that are held elsewhere: by the work that needs them, or by tests of their own. */
const elsewhere = ['find a station', 'keep copies', 'make one with replicas'];

const names = Object.keys(work);
const stationOf = (kind: string, index: number): string => `${kind}.${index}`;
/** Each kind of work without each subject that it needs. */
const denials = names.flatMap((name) => {
  const count = rightsTo(name, { station: 'x', group, partitions: 2 }).length;
  return Array.from({ length: count }, (_, place) => ({ name, place }));
});
const cases = denials.map(({ name, place }, index) => {
  const station = stationOf('denied', index);
  return { name, station, subject: rightsTo(name, { station, group, partitions: 2 })[place] ?? '' };
});

function toConfig(): string {
  const granted = names.map((name, index) =>
    userWith(`granted-${index}`, rightsTo(name, { station: stationOf('granted', index), group, partitions: 2 })),
  );
  const dead = rightsTo('dead-letter', { station: 'with.linked', group, partitions: 2 });
  const linked = ['produce', 'make a station'].map((what) => rightsTo(what, { station: 'linked', group }));
  const linking = linked.map((rights, index) => userWith(`linking-${index}`, [...dead, ...rights]));
  const denied = cases.map(({ subject }, index) => userWithout(`denied-${index}`, subject));
  return `no_auth_user: all\nauthorization { users: [ { user: all, password: x }\n${[...granted, ...linking, ...denied].join('\n')} ] }`;
}

test('each row of the table is held to', () => {
  assert.deepEqual([...documented].sort(), [...names, ...elsewhere].sort());
  for (const name of elsewhere) assert.ok(ownRights(name, { station: 'x', group }).length > 0);
});

for (const { binary, version } of serversUnderTest()) {
  describe(`rights on nats-server ${version}`, { concurrency: 8 }, () => {
    let broker: RunningBroker;
    let owner: Client;
    const as = (username: string): Promise<Client> => connect({ servers: [broker.url], username, password: 'x' });
    const prepare = async (name: string, station: string): Promise<void> => {
      await owner.createStation(station, { storageType: 'memory', partitionsNumber: 2 });
      await owner.produce(station, 'a', { partition: 1 });
      await owner.produce(station, 'b', { partition: 2 });
      await withRawApi(broker.port, async (api) => work[name]?.prepare?.(owner, station, api));
    };

    before(async () => {
      broker = await startBroker({ binary, config: toConfig() });
      owner = await as('all');
    });
    after(async () => {
      await owner.close();
      await broker.stop();
    });

    for (const [index, name] of names.entries()) {
      test(`those that are listed are enough to ${name}`, async () => {
        const station = stationOf('granted', index);
        await prepare(name, station);
        const memphis = await as(`granted-${index}`);
        try {
          await work[name]?.run(memphis, station, owner);
        } finally {
          await memphis.close();
        }
      });
    }

    test('to dead-letter into a linked station takes what producing there takes, and where it is missing what making it takes', async () => {
      await owner.createStation('with.linked', { storageType: 'memory', partitionsNumber: 2, dlsStation: 'linked' });
      for (const [index, stored] of [1, 2].entries()) {
        await owner.produce('with.linked', 'x', { partition: stored });
        if (index === 1) await owner.destroyStation('linked');
        const memphis = await as(`linking-${index}`);
        const options = { group, batchMaxWaitMs: 1_000, maxAckTimeMs: 30_000 };
        const [message] = await memphis.fetchMessages('with.linked', options);
        if (index === 0) await message?.deadLetter('why');
        else {
          // who may make it, may not produce there: it is made, and the message stays
          await assert.rejects(message?.deadLetter('why') ?? Promise.resolve(), (error) =>
            isMemphisError(error, 'SETTLE_UNCONFIRMED'),
          );
        }
        await memphis.close();
        assert.equal((await owner.describeStation('linked')).messages, index === 0 ? 1 : 0);
      }
    });

    for (const [index, { name, station, subject }] of cases.entries()) {
      const isSpared = work[name]?.spared?.test(subject) === true;
      test(`to ${name} without ${subject} ${isSpared ? 'ends as the table says' : 'is PERMISSION_DENIED'}, at once`, async () => {
        await prepare(name, station);
        const memphis = await as(`denied-${index}`);
        const startedAt = performance.now();
        try {
          const error: unknown = await (work[name]?.run(memphis, station, owner) ?? Promise.resolve()).then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
          assert.ok(performance.now() - startedAt < 5_000, 'no patience with a refusal');
          assert.ok(memphis.isConnected());
          if (work[name]?.keepsAll === true) assert.ok((await countUndone(owner, station)) >= 2, 'nothing is lost');
          if (isSpared) return;
          const why = isMemphisError(error, 'SETTLE_UNCONFIRMED') ? error.cause : error;
          assert.ok(isMemphisError(why, 'PERMISSION_DENIED'), String(error));
          assert.equal(why.retryable, false);
        } finally {
          await memphis.close();
        }
      });
    }
  });
}
