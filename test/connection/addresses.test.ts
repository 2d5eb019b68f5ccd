/** Addresses that are read without being taken apart. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseServer } from '../../src/connection/addresses.ts';
import { isMemphisError } from '../../src/model/errors.ts';

const outcome = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    assert.ok(isMemphisError(error, 'INVALID_OPTION'));
    return 'refused';
  }
};

/** What WHATWG's parser makes of it, which knows what a host may be. */
function byUrl(host: string, port: number): unknown {
  const url = URL.canParse(`http://${host}:${port}`) ? new URL(`http://${host}:${port}`) : undefined;
  const isServer = url !== undefined && url.hostname !== '' && url.username === '' && url.pathname === '/';
  return isServer ? { server: `${url.hostname}:${port}`, insistsOnTls: false } : 'refused';
}

test('an address of a Memphis broker, with a name and a password and perhaps without a port, is what URL makes of it', () => {
  const word = fc.oneof(
    fc.stringMatching(/^[A-Za-z\d.-]{0,6}$/),
    fc.constantFrom('p%40', 'a@b', 'x:y', 'ä', '\t', 'a/b', '%'),
  );
  const user = fc.option(
    fc.tuple(word, word).map(([name, password]) => `${name}:${password}@`),
    { nil: '' },
  );
  const port = fc.option(
    fc.nat(70_000).map((number) => `:${number}`),
    { nil: '' },
  );
  const host = fc.constantFrom('broker', 'a.b-c', '10.0.0.1', '[::1]', 'BROKER', '1.2.3', 'ä.de');
  fc.assert(
    fc.property(fc.constantFrom('', 'memphis://'), user, host, port, (scheme, before, name, number) => {
      const entry = `${scheme}${before}${name}${number}`;
      assert.deepEqual(
        outcome(() => parseServer(entry)),
        outcome(() => parseServer(`${scheme}${before}${name}${number || ':6666'}/`)), // never plain
      );
    }),
  );
});

test('a plain address is what it would be when it is taken apart as a URL', () => {
  const label = fc.stringMatching(/^[a-z\d-]{1,6}$/);
  const byte = fc.oneof(fc.nat(300).map(String), fc.constantFrom('00', '01', '010', '0x7', '256', ''));
  const host = fc.oneof(
    fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.')),
    fc.array(byte, { minLength: 3, maxLength: 5 }).map((bytes) => bytes.join('.')),
    fc.constantFrom('localhost', 'a-b.c', 'xn--a', 'a..b', 'a.', '-a', 'a-', '1a', 'a.1', '10.0.0.1', '192.168.0.255'),
  );
  const port = fc.oneof(fc.nat(99_999), fc.constantFrom(4_222, 6_666, 80, 59_999, 60_000, 65_535, 65_536));
  fc.assert(
    fc.property(host, port, fc.constantFrom('', 'nats://'), (name, number, scheme) => {
      assert.deepEqual(
        outcome(() => parseServer(`${scheme}${name}:${number}`)),
        byUrl(name, number),
      );
    }),
    { numRuns: 5_000 },
  );
});
