/** Every option of every table, given every kind of value, by hand and by environment: taken or refused by name. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { isMemphisError, type MemphisError } from '../../src/model/errors.ts';
import type { OptionTable } from '../../src/model/option-spec.ts';
import { resolveOptions, toEnvName } from '../../src/model/resolve-options.ts';
import { startFunctionOptions } from '../../src/testing/function-options.ts';
import { startBrokerOptions } from '../../src/testing/start-broker.ts';
import { isTable } from '../support/is-table.ts';
import { oddValues } from '../support/odd-values.ts';
import * as model from '../support/option-tables.ts';

const tables = Object.entries<unknown>({ ...model, startFunctionOptions, startBrokerOptions }).filter(
  (entry): entry is [string, OptionTable] => isTable(entry[1]),
);

/** What resolving ends with: values, or the refusal. Anything else fails the test. */
function outcome(run: () => unknown): { readonly value?: unknown; readonly error?: MemphisError } {
  try {
    return { value: run() };
  } catch (error) {
    assert.ok(isMemphisError(error, 'INVALID_OPTION'), `no INVALID_OPTION but ${inspect(error)}`);
    assert.equal(error.retryable, false);
    return { error };
  }
}

test('there are tables to go through', () => {
  assert.ok(tables.length > 12);
});

for (const [name, table] of tables) {
  test(`${name}: each option takes or refuses each kind of value, and the refusal names it`, () => {
    for (const option of Object.keys(table)) {
      for (const [kind, value] of oddValues()) {
        const { error } = outcome(() => resolveOptions('call', table, { [option]: value }));
        if (error === undefined) continue;
        assert.ok(error.message.length < 400, `${option} given ${kind}: ${error.message}`);
        if (option !== 'tls') assert.equal(error.option, option, `${option} given ${kind}`);
        assert.match(error.message, /^(call|tls): /);
      }
    }
  });

  test(`${name}: each variable takes or refuses any text; blank is not set, blanks around do not count`, () => {
    const defaults = resolveOptions('call', table, {});
    for (const [option, spec] of Object.entries(table)) {
      if ('read' in spec && spec.parse === undefined) continue;
      const variable = toEnvName(option);
      const read = (text: string) => outcome(() => resolveOptions('call', table, {}, { [variable]: text }));
      for (const text of ['__proto__', 'constructor', '1e400', '0x', '--1', '{', '[]', 'null', '-0', '\u0000', 'ja']) {
        const { error } = read(text);
        if (error !== undefined) assert.match(error.message, new RegExp(`environment variable ${variable} must be`));
      }
      assert.deepEqual(read(''), { value: defaults });
      if ('keepsBlanks' in spec) assert.equal((read(' x ').value as Record<string, unknown>)[option], ' x ');
      else {
        assert.deepEqual(read(' \t\n'), { value: defaults });
        for (const text of ['7', 'true', 'orders']) assert.deepEqual(read(` ${text}\n`), read(text));
      }
    }
  });
}

test('options that are no record are refused, whatever they are', () => {
  for (const [kind, value] of oddValues()) {
    const { error } = outcome(() => resolveOptions('call', model.readerOptions, value));
    const isEmpty = value === undefined || kind === 'an empty object' || kind === 'an object without prototype';
    assert.equal(error === undefined, isEmpty, kind);
  }
});

test('options that nobody has thought of: taken or refused, and never something else', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
  });
  const table = { ...model.connectOptions, ...model.consumerFunctionOptions, ...model.produceOptions };
  const names = fc.oneof(fc.constantFrom(...Object.keys(table)), fc.string());
  fc.assert(
    fc.property(fc.oneof(anything, fc.dictionary(names, anything, { maxKeys: 3 })), (given) => {
      const { value } = outcome(() => resolveOptions('call', table, given));
      if (value !== undefined) assert.deepEqual(Object.keys(value as object).sort(), Object.keys(table).sort());
    }),
    { numRuns: 2_000 },
  );
});

test('a getter is asked once, so what was checked is what is used', () => {
  let asked = 0;
  const options = Object.defineProperty({}, 'batchSize', { enumerable: true, get: () => (asked++ === 0 ? 5 : 'many') });
  assert.equal(resolveOptions('call', model.readerOptions, options).batchSize, 5);
  assert.equal(asked, 1);
});

test('an unknown name is shown cut to a readable length, and found without delay', () => {
  const name = 'batchSize'.padEnd(1_000_000, 'x');
  const startedAt = performance.now();
  const { error } = outcome(() => resolveOptions('call', model.readerOptions, { [name]: 1 }));
  assert.ok(error !== undefined && error.message.length < 300);
  assert.ok(performance.now() - startedAt < 1_000);
});

test('no refusal shows what a secret option held', () => {
  const secret = 'hunter2hunter2';
  const options = ['password', 'connectionToken', 'creds', 'nkey'] as const;
  for (const option of options) {
    for (const value of [[secret], { secret }, new String(secret), Buffer.from(secret)]) {
      const { error } = outcome(() => resolveOptions('call', model.connectOptions, { [option]: value }));
      assert.ok(error !== undefined);
      assert.doesNotMatch(inspect(error, { depth: 10 }), /hunter2/);
    }
  }
  const { error } = outcome(() => resolveOptions('call', model.connectOptions, { tls: { key: [secret] } }));
  assert.doesNotMatch(inspect(error, { depth: 10 }), /hunter2/);
});
