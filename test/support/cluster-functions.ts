/** A function that pulls and a poller, at work while a cluster is in trouble. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemphisEvent } from '../../src/envelope/event.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { createPoller } from '../../src/poller/index.ts';
import { makeContext } from '../../src/testing/index.ts';
import { ACK_WAIT_MS, reading, Scene, type Site, type Work } from './cluster-scene.ts';

const everyNth = (id: string, n: number): boolean => Number(id) % n === 0;

/** The counts of a summary or report add up. */
function addsUp(
  total: number,
  counts: {
    readonly acked: number;
    readonly retried: number;
    readonly deadLettered: number;
    readonly givenBack: number;
  },
): void {
  assert.equal(total, counts.acked + counts.retried + counts.deadLettered + counts.givenBack, JSON.stringify(counts));
}

/** Invocation after invocation of a function that pulls: one message in ten is a dead letter, one in seven comes again. */
export async function functionThatPulls(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'pulled').open();
  const handler = withMemphis<string>(
    async (messages) => {
      for (const message of messages) {
        const times = scene.see(message.text());
        if (everyNth(message.text(), 10)) await message.deadLetter('tenth');
        else if (everyNth(message.text(), 7) && times === 1) await message.nack();
      }
    },
    {
      servers: [...site.cluster.urls],
      station: 'pulled',
      ...reading,
      batchSize: 20,
      drain: true,
      failWhenAllFail: false,
    },
  );
  scene.repeat(async () => {
    const summary = (await handler({}, makeContext({ timeoutMs: 30_000 }))) as unknown as Record<string, number>;
    addsUp(summary.received ?? -1, summary as never);
    await sleep(20);
  });
  return {
    done: () => scene.seen.size,
    check: async () => {
      await scene.through();
      const expected = scene.ids.filter((id) => everyNth(id, 10));
      assert.deepEqual([...(await scene.deadLetters())].sort(), expected.sort(), 'each dead letter is stored once');
    },
  };
}

/** A poller and its function, with the same rules. */
export async function poller(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'polled').open();
  const stop = new AbortController();
  const send = async ({ input }: { readonly input: { readonly Payload: Uint8Array } }) => {
    const { messages } = JSON.parse(new TextDecoder().decode(input.Payload)) as MemphisEvent;
    const failures = messages.flatMap(({ id, body }) => {
      const times = scene.see(body);
      if (everyNth(body, 10)) return [{ itemIdentifier: id, action: 'deadLetter', reason: 'tenth' }];
      return everyNth(body, 7) && times === 1 ? [{ itemIdentifier: id }] : [];
    });
    return { StatusCode: 200, Payload: new TextEncoder().encode(JSON.stringify({ batchItemFailures: failures })) };
  };
  const running = createPoller({
    mappings: [
      {
        station: 'polled',
        group: reading.group,
        functionName: 'f',
        maxAckTimeMs: ACK_WAIT_MS,
        maximumRetryAttempts: 99,
        backoffBaseMs: 100,
      },
    ],
    connection: { servers: [...site.cluster.urls] },
    lambda: { send },
    onError: (error) => scene.failures.push(error),
  }).run({ signal: AbortSignal.any([stop.signal, site.over]) });
  running.catch((error: unknown) => scene.failures.push(error));
  return {
    done: () => scene.seen.size,
    check: async () => {
      await scene.through();
      stop.abort();
      const [report] = (await running).mappings;
      assert.ok(report);
      assert.equal(report.error, undefined);
      addsUp(report.polled, report);
      const expected = scene.ids.filter((id) => everyNth(id, 10));
      assert.deepEqual([...(await scene.deadLetters())].sort(), expected.sort(), 'each dead letter is stored once');
    },
  };
}
