/** Names of streams come in pages, and tell partitions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionsAmong } from '../../../src/brokers/jetstream/stations.ts';
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

test('partitions of a station are the streams of its name with a whole number behind it, in order', () => {
  const others = [
    'a#b',
    'a#b$',
    'a#b$0',
    'a#b$01',
    'a#b$1.5',
    'a#b$-1',
    'a#b$1e1',
    'a#b$0x1',
    'a#b$10001',
    'a#b$dls',
    'x#y$3',
  ];
  assert.deepEqual(
    partitionsAmong(['a#b$10', ...others, 'a#b$2', 'a#b$1', 'a#b$10000', 'a#bc$4'], 'a.b'),
    [1, 2, 10, 10_000],
  );
});
