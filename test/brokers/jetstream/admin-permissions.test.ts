/**
 * Administration by users who lack a permission: each request that is denied ends typed and at once. And by users who
 * have what docs/architecture.md lists, and nothing else: it is enough.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Client, connect, isMemphisError } from '../../../src/index.ts';
import { type RunningBroker, startBroker } from '../../../src/testing/start-broker.ts';
import { serversUnderTest } from '../../support/servers.ts';

const KV = 'KV_memphis_serverless';

/** What users do, each on a station of its own that has two dead letters. */
const work: Readonly<Record<string, (memphis: Client, station: string) => Promise<unknown>>> = {
  create: (memphis, station) =>
    memphis.createStation(`${station}-new`, { storageType: 'memory', dlsStation: `${station}-linked` }),
  destroy: (memphis, station) => memphis.station(station).destroy(),
  describe: (memphis, station) => memphis.station(station).describe(),
  list: (memphis) => memphis.listStations(),
  'list letters': (memphis, station) => memphis.deadLetters(station).list(),
  'count letters': (memphis, station) => memphis.deadLetters(station).count(),
  'get letter': (memphis, station) => memphis.deadLetters(station).get(1),
  'drop letters': (memphis, station) => memphis.deadLetters(station).drop([1, 2]),
  'drop all letters': (memphis, station) => memphis.deadLetters(station).dropAll(),
  redrive: async (memphis, station) => failIfFailed(await memphis.deadLetters(station).redrive([1, 2])),
  'redrive all': async (memphis, station) => failIfFailed(await memphis.deadLetters(station).redriveAll()),
  'redrive into the station': async (memphis, station) =>
    failIfFailed(await memphis.deadLetters(station).redriveAll({ to: 'station' })),
};

function failIfFailed(results: readonly { readonly outcome: string; readonly error?: unknown }[]): void {
  for (const { error } of results) if (error !== undefined) throw error;
  assert.ok(results.length > 0 && results.every(({ outcome }) => outcome === 'redriven'));
}

/** Every request of each kind of work; `*` stands for one token. */
const denials: readonly (readonly [keyof typeof work & string, readonly string[]])[] = [
  ['create', ['$JS.API.STREAM.NAMES', `$JS.API.STREAM.MSG.GET.${KV}`, '$JS.API.STREAM.CREATE.*']],
  ['create', ['$KV.memphis_serverless.station.*']],
  ['destroy', ['$JS.API.STREAM.NAMES', `$JS.API.STREAM.MSG.GET.${KV}`, `$JS.API.STREAM.PURGE.${KV}`]],
  ['destroy', ['$JS.API.STREAM.DELETE.*', '$KV.memphis_serverless.station.*']],
  ['describe', ['$JS.API.STREAM.NAMES', `$JS.API.STREAM.MSG.GET.${KV}`]],
  ['describe', ['$JS.API.STREAM.INFO.*', '$JS.API.CONSUMER.LIST.*']],
  ['list', ['$JS.API.STREAM.NAMES', `$JS.API.CONSUMER.CREATE.${KV}`, `$JS.API.CONSUMER.MSG.NEXT.${KV}.*`]],
  ['list letters', ['$JS.API.CONSUMER.CREATE.*', '$JS.API.CONSUMER.MSG.NEXT.>']],
  ['count letters', ['$JS.API.STREAM.INFO.*']],
  ['get letter', ['$JS.API.STREAM.MSG.GET.*']],
  ['drop letters', ['$JS.API.STREAM.MSG.DELETE.*']],
  ['drop all letters', ['$JS.API.STREAM.INFO.*', '$JS.API.STREAM.PURGE.*']],
  ['redrive', ['$JS.API.STREAM.MSG.GET.*', '$JS.API.STREAM.MSG.DELETE.*', '$JS.API.STREAM.CREATE.*']],
  ['redrive', ['$JS.API.CONSUMER.INFO.>', '$JS.API.CONSUMER.DURABLE.CREATE.>', '*.due.>']],
  ['redrive all', ['$JS.API.STREAM.INFO.*', '$JS.API.CONSUMER.CREATE.*', '$JS.API.STREAM.MSG.DELETE.*']],
  ['redrive into the station', [`$JS.API.STREAM.MSG.GET.${KV}`, '*.final', '$JS.API.STREAM.MSG.DELETE.*']],
];

const cases = denials.flatMap(([name, subjects]) => subjects.map((subject) => ({ name, subject })));
const find = [`$JS.API.STREAM.MSG.GET.${KV}`, '$JS.API.STREAM.NAMES'];

/** What docs/architecture.md says under "Rights"; `S` is the station. */
const grants: Readonly<Record<string, readonly string[]>> = {
  create: [...find, '$JS.API.STREAM.CREATE.>', '$KV.memphis_serverless.station.*'],
  destroy: [...find, '$JS.API.STREAM.DELETE.>', `$JS.API.STREAM.PURGE.${KV}`, '$KV.memphis_serverless.station.*'],
  describe: [...find, '$JS.API.STREAM.INFO.*', '$JS.API.CONSUMER.LIST.*'],
  list: [
    '$JS.API.STREAM.NAMES',
    ...['CREATE', 'MSG.NEXT', 'DELETE'].map((verb) => `$JS.API.CONSUMER.${verb}.${KV}.>`),
    `$JS.API.CONSUMER.CREATE.${KV}`,
  ],
  'list letters': [
    '$JS.API.CONSUMER.CREATE.S$dls',
    '$JS.API.CONSUMER.MSG.NEXT.S$dls.*',
    '$JS.API.CONSUMER.DELETE.S$dls.*',
  ],
  'count letters': ['$JS.API.STREAM.INFO.S$dls'],
  'get letter': ['$JS.API.STREAM.MSG.GET.S$dls'],
  'drop letters': ['$JS.API.STREAM.MSG.DELETE.S$dls'],
  'drop all letters': ['$JS.API.STREAM.INFO.S$dls', '$JS.API.STREAM.PURGE.S$dls'],
  redrive: [
    ...find,
    '$JS.API.STREAM.MSG.GET.S$dls',
    '$JS.API.STREAM.MSG.DELETE.S$dls',
    'S$retry.>',
    '$JS.API.STREAM.INFO.>',
    '$JS.API.STREAM.CREATE.S$retry',
    '$JS.API.STREAM.UPDATE.S$retry',
    '$JS.API.CONSUMER.INFO.>',
    '$JS.API.CONSUMER.DURABLE.CREATE.S$retry.*',
  ],
  'redrive into the station': [
    ...find,
    '$JS.API.STREAM.INFO.S$dls',
    '$JS.API.CONSUMER.CREATE.S$dls',
    '$JS.API.CONSUMER.MSG.NEXT.S$dls.*',
    '$JS.API.CONSUMER.DELETE.S$dls.*',
    '$JS.API.STREAM.MSG.DELETE.S$dls',
    'S$1.final',
  ],
};

const stationOf = (kind: string, index: number): string => `${kind}-${index}`;

function toConfig(): string {
  const user = (name: string, permissions: string): string =>
    `{ user: "${name}", password: x, permissions: { ${permissions} } }`;
  const list = (subjects: readonly string[]): string => `[${subjects.map((one) => JSON.stringify(one)).join(', ')}]`;
  const denied = cases.map(({ subject }, index) => user(`denied-${index}`, `publish: { deny: ${list([subject])} }`));
  const granted = Object.values(grants).map((subjects, index) => {
    const station = stationOf('granted', index);
    const allowed = subjects.map((subject) => subject.replaceAll('S$', `${station}$`));
    return user(`granted-${index}`, `publish: { allow: ${list(allowed)} }, subscribe: { allow: ["_INBOX.>"] }`);
  });
  return `authorization { users: [ { user: all, password: x }\n${[...denied, ...granted].join('\n')} ] }`;
}

for (const { binary, version } of serversUnderTest()) {
  describe(`permissions of administration on nats-server ${version}`, () => {
    let broker: RunningBroker;
    const as = (username: string): Promise<Client> => connect({ servers: [broker.url], username, password: 'x' });

    before(async () => {
      broker = await startBroker({ binary, config: toConfig() });
      const owner = await as('all');
      const names = [
        ...cases.map((_, index) => stationOf('denied', index)),
        ...Object.keys(grants).map((_, index) => stationOf('granted', index)),
      ];
      for (const name of names) {
        await owner.createStation(name, { storageType: 'memory' });
        for (const text of ['a', 'b']) await owner.produce(name, text);
        for (const message of await owner.fetchMessages(name, { group: 'g', batchMaxWaitMs: 1_000 })) {
          await message.deadLetter('why');
        }
      }
      await owner.close();
    });
    after(() => broker.stop());

    for (const [index, { name, subject }] of cases.entries()) {
      test(`${name} without ${subject} is PERMISSION_DENIED at once`, async () => {
        const memphis = await as(`denied-${index}`);
        try {
          const startedAt = performance.now();
          await assert.rejects(work[name]?.(memphis, stationOf('denied', index)) ?? Promise.resolve(), (error) => {
            assert.ok(isMemphisError(error, 'PERMISSION_DENIED'), String(error));
            return true;
          });
          assert.ok(performance.now() - startedAt < 5_000, 'no patience with a refusal');
          assert.ok(memphis.isConnected());
        } finally {
          await memphis.close();
        }
      });
    }

    for (const [index, name] of Object.keys(grants).entries()) {
      test(`the rights that are listed are enough to ${name}`, async () => {
        const memphis = await as(`granted-${index}`);
        try {
          await work[name]?.(memphis, stationOf('granted', index));
        } finally {
          await memphis.close();
        }
      });
    }
  });
}
