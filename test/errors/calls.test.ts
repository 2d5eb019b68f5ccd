/** Every call of the client with every kind of value in each place of its arguments, as plain JavaScript can make it. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { type Client, connect, errorCodes, isMemphisError } from '../../src/index.ts';
import { makeMemoryBroker, useBroker } from '../../src/testing/index.ts';
import { oddValues } from '../support/odd-values.ts';

const broker = makeMemoryBroker();
const end = useBroker(broker);
after(end);

type Call = (...args: never[]) => unknown;
interface Case {
  /** Good arguments. */
  readonly args: readonly unknown[];
  readonly call: Call;
  /** It answers with a value, and so may throw; the others must answer with a promise, whatever they are given. */
  readonly isDirect?: true;
}

let client: Client;

/** All calls, with arguments that work. */
async function allCalls(): Promise<Readonly<Record<string, Case>>> {
  const station = client.station('orders');
  const producer = await client.createProducer('orders');
  const both = await client.createProducer(['orders', 'audit']);
  const consumer = await client.createConsumer('orders', { group: 'g' });
  const letters = client.deadLetters('orders');
  const bind = (of: object, name: string): Call => ((of as Record<string, Call>)[name] as Call).bind(of);
  const of = (what: object, name: string, ...args: unknown[]): Case => ({ call: bind(what, name), args });
  const now = { batchMaxWaitMs: 0 };
  return {
    createStation: of(client, 'createStation', 'new-one', {}),
    station: { ...of(client, 'station', 'orders'), isDirect: true },
    destroyStation: of(client, 'destroyStation', 'gone'),
    describeStation: of(client, 'describeStation', 'orders'),
    deadLetters: { ...of(client, 'deadLetters', 'orders'), isDirect: true },
    createProducer: of(client, 'createProducer', 'orders', {}),
    'createProducer for several': of(client, 'createProducer', ['orders', 'audit'], {}),
    'client.produce': of(client, 'produce', 'orders', 'x', {}),
    'client.produceBatch': of(client, 'produceBatch', 'orders', ['x'], {}),
    createConsumer: of(client, 'createConsumer', 'orders', { group: 'g' }),
    fetchMessages: of(client, 'fetchMessages', 'orders', { group: 'g', ...now }),
    'station.createProducer': of(station, 'createProducer', {}),
    'station.createConsumer': of(station, 'createConsumer', { group: 'g' }),
    'producer.produce': of(producer, 'produce', 'x', {}),
    'producer.produceBatch': of(producer, 'produceBatch', ['x'], {}),
    'producer of several, produce': of(both, 'produce', 'x', {}),
    'producer of several, produceBatch': of(both, 'produceBatch', ['x'], {}),
    'consumer.fetch': of(consumer, 'fetch', now),
    'deadLetters.list': of(letters, 'list', {}),
    'deadLetters.get': of(letters, 'get', 1),
    'deadLetters.count': of(letters, 'count', {}),
    'deadLetters.drop': of(letters, 'drop', [1], {}),
    'deadLetters.dropAll': of(letters, 'dropAll', {}),
    'deadLetters.redrive': of(letters, 'redrive', [1], {}),
    'deadLetters.redriveAll': of(letters, 'redriveAll', {}),
  };
}

function show(error: unknown): string {
  try {
    return inspect(error, { depth: 5 });
  } catch {
    return 'something that cannot be shown';
  }
}

const LATE = Symbol('late');
const counts = (): Promise<readonly number[]> =>
  Promise.all(['orders', 'audit'].map(async (name) => (await client.describeStation(name)).messages));

/** Makes a call; it works, or ends in time with one of our errors, and then nothing was stored. */
async function attempt({ call, args, isDirect }: Case, what: string): Promise<void> {
  const before = await counts();
  let error: unknown;
  let result: unknown;
  try {
    result = (call as (...given: unknown[]) => unknown)(...args);
  } catch (thrown) {
    assert.ok(isDirect, `${what} throws where a promise is expected: ${show(thrown)}`);
    error = thrown;
  }
  if (!isDirect && error === undefined) {
    assert.ok(result instanceof Promise, `${what} answers with a promise`);
    const ended = await Promise.race([
      result.then(
        () => undefined,
        (reason: unknown) => reason ?? null,
      ),
      sleep(3_000, LATE, { ref: false }),
    ]);
    assert.notEqual(ended, LATE, `${what} hangs`);
    error = ended;
  }
  if (error === undefined) return;
  assert.ok(isMemphisError(error), `${what} fails with ${show(error)}`);
  assert.ok(Object.hasOwn(errorCodes, error.code));
  assert.ok(error.message.length < 1_000, `${what} says too much`);
  // what the caller's own function threw is its own
  if (error.option !== 'optionsFor') assert.doesNotMatch(show(error), /x{2000}/, 'no payload in an error');
  assert.deepEqual(await counts(), before, `${what} stored something, though it failed`);
}

describe('each argument of each call may be anything', async () => {
  before(async () => {
    client = await connect();
    for (const name of ['orders', 'audit']) await client.createStation(name);
  });
  after(() => client.close());

  test('with good arguments each call works, or finds nothing', async () => {
    for (const [name, one] of Object.entries(await allCalls())) await attempt(one, name);
  });

  test('with any value in any place each call works or is refused, and stores nothing when refused', async () => {
    const calls = await allCalls();
    for (const [name, one] of Object.entries(calls)) {
      for (const place of one.args.keys()) {
        for (const [kind, value] of oddValues()) {
          if (name === 'createStation' && kind.startsWith('a long')) continue;
          const args = one.args.map((given, index) => (index === place ? value : given));
          await attempt({ ...one, args }, `${name} with ${kind} as argument ${place + 1}`);
        }
      }
      await attempt({ ...one, args: [] }, `${name} without arguments`);
    }
  });

  test('with any value in any option each call works or is refused', async () => {
    const stream = { stream: 'orders', group: 'g' };
    const options: Readonly<Record<string, readonly string[]>> = {
      'client.produce': ['headers', 'msgId', 'partitionKey', 'partition', 'ackWaitMs', 'async', 'onError'],
      'producer of several, produce': ['headers', 'msgId', 'partitionKey', 'partition', 'async'],
      'client.produceBatch': ['ackWaitMs', 'optionsFor'],
      fetchMessages: ['group', 'partition', 'partitionKey', 'stream', 'station', 'batchSize'],
      'deadLetters.redriveAll': ['group', 'to', 'onProgress'],
    };
    const calls = await allCalls();
    for (const [name, names] of Object.entries(options)) {
      const one = calls[name] as Case;
      for (const option of names) {
        for (const [kind, value] of oddValues()) {
          const args = [...one.args.slice(0, -1), { ...(one.args.at(-1) as object), [option]: value }];
          await attempt({ ...one, args }, `${name} with ${kind} as ${option}`);
        }
      }
    }
    for (const field of ['stream', 'filterSubject', 'group', 'station']) {
      for (const [kind, value] of oddValues()) {
        const one = calls.createConsumer as Case;
        await attempt({ ...one, args: [{ ...stream, [field]: value }] }, `a binding with ${kind} as ${field}`);
      }
    }
  });

  test('what a batch is told of single messages may be anything', async () => {
    const producer = await client.createProducer('orders');
    for (const [kind, value] of oddValues()) {
      const optionsFor = (): never => value as never;
      const call: Call = () => producer.produceBatch(['a', 'b'], { optionsFor });
      await attempt({ call, args: [] }, `a batch with ${kind} as options of a message`);
      for (const option of ['headers', 'msgId', 'partitionKey', 'partition']) {
        const told: Call = () =>
          producer.produceBatch(['a', 'b'], { optionsFor: () => ({ [option]: value }) as never });
        await attempt({ call: told, args: [] }, `a batch with ${kind} as ${option}`);
      }
      const throws: Call = () =>
        producer.produceBatch(['a'], {
          optionsFor: () => {
            throw value;
          },
        });
      await attempt({ call: throws, args: [] }, `a batch whose optionsFor throws ${kind}`);
    }
  });
});

test('consume takes a handler and known options, and refuses anything else at once', async () => {
  const memphis = await connect();
  for (const [kind, value] of oddValues()) {
    const consumer = await memphis.createConsumer('orders', { group: 'c', batchMaxWaitMs: 0 });
    for (const args of [[value], [() => {}, value]]) {
      let error: unknown;
      try {
        consumer.consume(...(args as Parameters<typeof consumer.consume>));
      } catch (thrown) {
        error = thrown;
      }
      await consumer.stop();
      if (error !== undefined) assert.ok(isMemphisError(error, 'INVALID_OPTION'), `${kind}: ${show(error)}`);
      else if (args.length === 1) assert.equal(typeof value, 'function', kind);
    }
  }
  await memphis.close();
});

test('an onError of a consumer that fails, at once or later, is a warning and nothing more', async () => {
  const memphis = await connect();
  const warnings: string[] = [];
  const listen = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', listen);
  const onErrors = [
    () => {
      throw new Error('failed at once');
    },
    async () => {
      throw new Error('failed later');
    },
  ];
  for (const [index, onError] of onErrors.entries()) {
    const consumer = await memphis.createConsumer('orders', { group: `w${index}`, onError, batchMaxWaitMs: 0 });
    await memphis.produce('orders', 'x');
    const handled = Promise.withResolvers<void>();
    consumer.consume(async ([first]) => {
      await first?.ack();
      handled.resolve();
      throw new Error('of the handler');
    });
    await handled.promise;
    await consumer.stop();
  }
  await sleep(20);
  process.off('warning', listen);
  assert.deepEqual([...new Set(warnings)].sort(), ['failed at once', 'failed later']);
  await memphis.close();
});

test('an onProgress that fails, at once or later, ends the work with what it threw', async () => {
  const memphis = await connect();
  const letters = memphis.deadLetters('orders');
  for (const how of ['at once', 'later']) {
    const own = new Error(`failed ${how}`);
    const onProgress = (): Promise<void> => {
      if (how === 'at once') throw own;
      return Promise.reject(own);
    };
    for (const work of [() => letters.redriveAll({ onProgress }), () => letters.dropAll({ onProgress })]) {
      await memphis.produce('orders', 'x');
      for (const message of await memphis.fetchMessages('orders', { group: how.replace(' ', '-'), batchSize: 5_000 })) {
        await message.deadLetter('why');
      }
      await assert.rejects(work(), own);
    }
  }
  await memphis.close();
});
