/** One value a configuration: what counts as the same one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cached, cachedValues } from '../../src/connection/cache.ts';
import { connectOptions } from '../../src/model/options/connect.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';

const secret = (): string => 's';
const keep = (options: object): object => cached(options, () => ({}));

test('the same options share a value, in any order of theirs and of what they hold', () => {
  const kept = keep({ servers: ['a', 'b'], tls: { ca: 'x', cert: 'y' }, password: secret, port: undefined });
  assert.equal(keep({ password: secret, tls: { cert: 'y', ca: 'x' }, servers: ['a', 'b'] }), kept);
  for (const other of [
    { servers: ['b', 'a'], tls: { ca: 'x', cert: 'y' }, password: secret },
    { servers: ['a'], tls: { ca: 'x', cert: 'y' }, password: secret },
    { servers: ['a', 'b'], tls: { ca: 'x' }, password: secret },
    { servers: ['a', 'b'], tls: true, password: secret },
    { servers: ['a', 'b'], tls: { ca: 'x', cert: 'y' }, password: (): string => 's' },
    { servers: ['a', 'b'], tls: { ca: 'x', cert: 'y' }, password: secret, port: 1 },
    { servers: ['a', 'b'], tls: null, password: secret },
  ]) {
    assert.notEqual(keep(other), kept, JSON.stringify(other));
  }
});

test('what was forgotten is made anew, and nothing else is lost', () => {
  let forget = (): void => {};
  const options = { cacheKey: 'forgotten' };
  const other = keep({ cacheKey: 'other' });
  const first = cached(options, (end) => {
    forget = end;
    return {};
  });
  assert.ok(cachedValues().includes(first));
  forget();
  forget();
  assert.equal(cachedValues().includes(first), false);
  assert.notEqual(keep({ cacheKey: 'forgotten' }), first);
  assert.equal(keep({ cacheKey: 'other' }), other);
});

test('a list of servers that is changed afterwards is another configuration', () => {
  const servers = ['a:1'];
  const first = keep(resolveOptions('connect', connectOptions, { servers }, {}));
  servers[0] = 'b:1';
  assert.notEqual(keep(resolveOptions('connect', connectOptions, { servers }, {})), first);
  servers[0] = 'a:1';
  assert.equal(keep(resolveOptions('connect', connectOptions, { servers }, {})), first);
});
