import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMemphisError } from '../../src/model/errors.ts';
import type { OptionSpec } from '../../src/model/option-spec.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { consumerFunctionOptions } from '../../src/model/options/consumer-function.ts';
import { middyOptions } from '../../src/model/options/middy.ts';
import { produceOptions } from '../../src/model/options/produce.ts';
import { producerFunctionOptions } from '../../src/model/options/producer-function.ts';
import { readerOptions } from '../../src/model/options/read.ts';
import { stationOptions } from '../../src/model/options/stations.ts';
import { didYouMean, resolveOptions, toEnvName } from '../../src/model/resolve-options.ts';
import { defaultStation } from '../../src/model/station.ts';
import { toStationSettings } from '../../src/model/station-settings.ts';

const refuses = (
  table: Parameters<typeof resolveOptions>[1],
  given: unknown,
  pattern: RegExp,
  env?: Record<string, string>,
): void => {
  assert.throws(
    () => resolveOptions('call', table, given, env),
    (error) => isMemphisError(error, 'INVALID_OPTION') && pattern.test(error.message),
    `${JSON.stringify(given)} ${JSON.stringify(env)}`,
  );
};

test('what is left out has the default of the Memphis SDKs', () => {
  assert.deepEqual(resolveOptions('call', readerOptions, undefined), {
    stream: undefined,
    filterSubject: undefined,
    group: undefined,
    batchSize: 10,
    batchMaxWaitMs: 5_000,
    maxAckTimeMs: 30_000,
    maxMsgDeliveries: 10,
    startConsumeFromSequence: 1,
    lastMessages: -1,
    ordered: false,
    schema: undefined,
    onInvalid: 'deadLetter',
  });
  const connection = resolveOptions('call', connectOptions, {});
  assert.deepEqual(
    [
      connection.broker,
      connection.reconnect,
      connection.maxReconnect,
      connection.reconnectIntervalMs,
      connection.timeoutMs,
    ],
    ['auto', true, 10, 1_000, 15_000],
  );
});

test('a station that is made because it is missing is one that was created without options', () => {
  assert.deepEqual(toStationSettings('orders', undefined), defaultStation);
});

test('the caller wins over the environment, the environment over the default', () => {
  const env = { MEMPHIS_BATCH_SIZE: '50', MEMPHIS_DRAIN: 'true', MEMPHIS_STATION: 'orders', MEMPHIS_GROUP: '' };
  const resolved = resolveOptions('call', consumerFunctionOptions, { batchSize: 7 }, env);
  assert.deepEqual(
    [resolved.batchSize, resolved.drain, resolved.station, resolved.group],
    [7, true, 'orders', undefined],
  );
  assert.deepEqual(resolveOptions('call', connectOptions, {}, { MEMPHIS_SERVERS: 'a:1, b:2' }).servers, ['a:1', 'b:2']);
  assert.equal(toEnvName('connectionToken'), 'MEMPHIS_CONNECTION_TOKEN');
});

test('each option hears the variable that bears its name, and so does each field of one', () => {
  const said: OptionSpec<unknown> = { read: (value) => value, parse: (text) => text, fallback: 'unheard' };
  for (const table of [
    connectOptions,
    consumerFunctionOptions,
    produceOptions,
    producerFunctionOptions,
    middyOptions,
  ]) {
    for (const name of Object.keys(table)) {
      const heard: unknown = resolveOptions('call', { [name]: said }, undefined, { [toEnvName(name)]: 'heard' });
      assert.deepEqual(heard, { [name]: 'heard' });
    }
  }
  const { tls } = resolveOptions('call', connectOptions, undefined, { MEMPHIS_TLS_SERVER_NAME: 'broker' });
  assert.deepEqual(tls, { serverName: 'broker' });
});

test('a variable that is not spelled as its option says is not heard', () => {
  for (const variable of ['MEMPHIS_ACCOUNT__ID', 'MEMPHIS_ACCOUNT_ID_', 'MEMPHIS_account_ID', 'MEMPHIS__ACCOUNT_ID']) {
    const { accountId } = resolveOptions('call', connectOptions, undefined, { [variable]: '7' });
    assert.equal(accountId, 1, variable);
  }
});

test('unknown names are refused with the nearest real one', () => {
  refuses(readerOptions, { batchsize: 5 }, /there is no option batchsize\. Did you mean batchSize\?/);
  refuses(readerOptions, { toString: 5 }, /there is no option toString/);
  refuses(connectOptions, { sevrers: ['x'] }, /Did you mean servers\?/);
  refuses(readerOptions, [], /must be an object/);
  refuses(readerOptions, 'x', /must be an object/);
  refuses(readerOptions, null, /must be an object/);
  assert.equal(didYouMean('xyzzy', ['batchSize']), '');
});

test('what the caller gave stands in place of the variables of its alternatives', () => {
  const env = {
    MEMPHIS_SERVERS: 'a:1',
    MEMPHIS_USERNAME: 'u',
    MEMPHIS_PASSWORD: 'p',
    MEMPHIS_CONNECTION_TOKEN: 't',
    MEMPHIS_STATION: 'orders',
    MEMPHIS_LAST_MESSAGES: '3',
  };
  const table = { ...connectOptions, ...consumerFunctionOptions };
  for (const [given, left, gone] of [
    [{ host: 'b' }, { username: 'u', station: 'orders', lastMessages: 3 }, ['servers']],
    [{ password: 'x' }, { servers: ['a:1'], username: 'u' }, ['connectionToken']],
    [{ connectionToken: 'x' }, { username: 'u' }, ['password']],
    [{ creds: 'x' }, { servers: ['a:1'] }, ['username', 'password', 'connectionToken']],
    [{ stream: 'ORDERS', group: 'g' }, { servers: ['a:1'] }, ['station']],
    [{ startConsumeFromSequence: 2 }, { lastMessages: -1 }, []],
    [{ batchSize: 2, host: undefined }, { servers: ['a:1'], connectionToken: 't', station: 'orders' }, []],
  ] as const) {
    const resolved: Record<string, unknown> = resolveOptions('call', table, given, env);
    assert.partialDeepStrictEqual(resolved, left);
    for (const name of gone) assert.equal(resolved[name], undefined, name);
  }
});

test('values outside their range are refused by name, those of the environment by variable', () => {
  for (const batchSize of [0, -1, 5_001, 1.5, '10', null, Number.NaN, {}])
    refuses(readerOptions, { batchSize }, /batchSize must be a whole number/);
  refuses(stationOptions, { retentionType: 'forever' }, /one of message_age_sec/);
  refuses(stationOptions, { schemaName: 7 }, /a text/);
  refuses(connectOptions, { reconnect: 'yes' }, /true or false/);
  refuses(connectOptions, { servers: [] }, /at least one/);
  refuses(connectOptions, { password: 7 }, /text/);
  refuses(produceOptions, { headers: { a: 1 } }, /object of texts/);
  refuses(consumerFunctionOptions, {}, /environment variable MEMPHIS_BATCH_SIZE must be/, {
    MEMPHIS_BATCH_SIZE: 'ten',
  });
  refuses(consumerFunctionOptions, {}, /environment variable MEMPHIS_DRAIN must be true or false/, {
    MEMPHIS_DRAIN: 'maybe',
  });
});
