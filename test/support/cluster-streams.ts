/** What a cluster has stored, read without the client that is under test. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStretch } from '../../src/brokers/jetstream/wire/read.ts';
import { openOfficial } from '../../src/connection/official/open-official.ts';
import type { Cluster } from './cluster.ts';

/** All payloads of a stream as text, oldest first. Waits while it has no leader. */
export async function readStream(cluster: Cluster, stream: string, subject = '>'): Promise<readonly string[]> {
  let texts: readonly string[] = [];
  await untilHolds(30_000, async () => {
    texts = await readOnce(cluster, stream, subject);
    return undefined;
  });
  return texts;
}

async function readOnce(cluster: Cluster, stream: string, subject: string): Promise<readonly string[]> {
  const node = cluster.nodes.find(({ pid }) => pid !== undefined);
  const connection = openOfficial({ server: `127.0.0.1:${node?.port}`, name: 'test', timeoutMs: 5_000 });
  try {
    const stretch = { stream, filterSubject: subject, from: 1, limit: Number.MAX_SAFE_INTEGER };
    const messages = await readStretch(connection, stretch, 5_000);
    return messages.map(({ data }) => new TextDecoder().decode(data));
  } finally {
    await connection.close();
  }
}

/** Of a durable: what is out unsettled, and what was never delivered, by its leader. */
export async function leftOf(cluster: Cluster, stream: string, durable: string): Promise<number> {
  const info = await cluster.api(`$JS.API.CONSUMER.INFO.${stream}.${durable}`);
  const left = Number(info.num_ack_pending) + Number(info.num_pending);
  assert.ok(Number.isSafeInteger(left), JSON.stringify(info));
  return left;
}

/** Resolves when something holds; fails with what is still wrong when it does not in time. */
export async function untilHolds(limitMs: number, wrong: () => Promise<string | undefined>): Promise<void> {
  for (const deadline = Date.now() + limitMs; ; await sleep(100)) {
    const words = await wrong().catch((error: unknown) => String(error));
    if (words === undefined) return;
    assert.ok(Date.now() < deadline, `not within ${limitMs} ms: ${words}`);
  }
}
