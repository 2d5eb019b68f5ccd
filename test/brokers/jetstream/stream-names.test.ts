/** Names of streams come in pages. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { streamNames } from '../../../src/brokers/jetstream/wire/streams.ts';
import type { Connection } from '../../../src/connection/port.ts';

/** A server that has these streams, and tells as many at a time. */
function listing(all: readonly string[], limit: number) {
  const asked: number[][] = [[]];
  const connection = {
    async request(subject: string, body: Uint8Array) {
      assert.equal(subject, '$JS.API.STREAM.NAMES');
      const { offset } = JSON.parse(new TextDecoder().decode(body));
      const together = asked.at(-1);
      together?.push(offset);
      await new Promise(setImmediate);
      if (asked.at(-1) === together) asked.push([]);
      const streams = all.slice(offset, offset + limit);
      const reply = { total: all.length, offset, limit, streams: streams.length === 0 ? null : streams };
      return { status: 0, data: new TextEncoder().encode(JSON.stringify(reply)) };
    },
  };
  return { connection: connection as unknown as Connection, flights: () => asked.filter(({ length }) => length > 0) };
}

test('names of all streams come in two flights, however many there are', async () => {
  for (const [count, flights] of [
    [0, [[0]]],
    [3, [[0]]],
    [4, [[0], [3]]],
    [10, [[0], [3, 6, 9]]],
  ] as const) {
    const names = Array.from({ length: count }, (_, index) => `s${index}`);
    const server = listing(names, 3);
    assert.deepEqual(await streamNames(server.connection, 1_000), names);
    assert.deepEqual(server.flights(), flights);
  }
});
