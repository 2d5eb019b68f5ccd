/** A session may be used before its server has spoken, and end before it does: the next one is asked, and nothing fails. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { infoOf } from '../../../src/brokers/jetstream/repeat.ts';
import type { Link } from '../../../src/connection/link.ts';
import { MemphisError } from '../../../src/model/errors.ts';

/** A link to a server that hangs up on the first sessions before it greets. */
function makeLink(lost: number, error: MemphisError): { readonly link: Link; readonly asked: () => number } {
  let asked = 0;
  const link = {
    wasOpen: true,
    discard: () => {},
    ready: async () => ({
      isClosed: true,
      info: asked++ < lost ? Promise.reject(error) : Promise.resolve({ maxPayload: 7 }),
    }),
  };
  return { link: link as unknown as Link, asked: () => asked };
}

test('what a server says of itself is asked again where the session ended before it did', async () => {
  const { link, asked } = makeLink(2, new MemphisError('CONNECT_FAILED', 'the server hung up'));
  assert.equal((await infoOf(link, 5_000)).maxPayload, 7);
  assert.equal(asked(), 3);
});

test('what no patience heals is thrown at once', async () => {
  const refused = new MemphisError('AUTHENTICATION_FAILED', 'wrong password');
  const { link, asked } = makeLink(2, refused);
  await assert.rejects(infoOf(link, 5_000), refused);
  assert.equal(asked(), 1);
});
