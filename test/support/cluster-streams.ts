/** What a cluster has stored, read without the client that is under test. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiError } from '../../src/brokers/jetstream/wire/api.ts';
import type { Cluster } from './cluster.ts';
import { withRawApi } from './raw-api.ts';

/** Messages asked for at the same time. */
const AT_ONCE = 500;

/**
 * All payloads of a stream as text, oldest first. Message by message, since these requests are answered by its leader:
 * other ways to read may lead to a replica that is behind. Waits while there is no leader.
 */
export async function readStream(cluster: Cluster, stream: string): Promise<readonly string[]> {
  await cluster.settled(stream);
  let texts: readonly string[] = [];
  await untilHolds(30_000, async () => {
    texts = await readOnce(cluster, stream);
    return undefined;
  });
  return texts;
}

async function readOnce(cluster: Cluster, stream: string): Promise<readonly string[]> {
  const node = await cluster.leaderOf(stream);
  return withRawApi(node.port, async (api) => {
    const { state } = (await api(`STREAM.INFO.${stream}`)) as unknown as { readonly state: StreamState };
    const texts: string[] = [];
    for (let from = state.first_seq; from <= state.last_seq; from += AT_ONCE) {
      const sequences = Array.from(
        { length: Math.min(AT_ONCE, state.last_seq - from + 1) },
        (_, index) => from + index,
      );
      const replies = await Promise.all(sequences.map((seq) => api(`STREAM.MSG.GET.${stream}`, { seq })));
      for (const { error, message } of replies) {
        if (error?.err_code === apiError.MESSAGE_NOT_FOUND) continue;
        assert.equal(error, undefined);
        texts.push(Buffer.from((message as { readonly data?: string }).data ?? '', 'base64').toString());
      }
    }
    assert.equal(texts.length, state.messages, 'all was read');
    return texts;
  });
}

interface StreamState {
  readonly first_seq: number;
  readonly last_seq: number;
  readonly messages: number;
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
