/** Random outcomes, crashes and lost answers on the memory broker: nothing is lost, sums agree, budgets hold. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { each } from '../../src/batch/each.ts';
import { type BatchHandler, runBatch } from '../../src/batch/run-batch.ts';
import { toEvent } from '../../src/envelope/event.ts';
import { openPushedBatch } from '../../src/envelope/pushed-batch.ts';
import { isMemphisError } from '../../src/model/errors.ts';
import type { Message } from '../../src/model/message.ts';
import { stationOptions } from '../../src/model/options/stations.ts';
import { DeadLetter, RetryLater } from '../../src/model/outcome.ts';
import { resolveOptions } from '../../src/model/resolve-options.ts';
import { makeFakeClock, makeMemoryBroker } from '../../src/testing/index.ts';

const deeds = ['return', 'throw', 'later', 'never', 'ack', 'delay', 'deadLetter', 'crash', 'unconfirmed'] as const;
type Deed = (typeof deeds)[number];

const plans = fc.record({
  /** What is done at each delivery of each message; afterwards it succeeds or fails for good. */
  messages: fc.array(
    fc.record({
      deeds: fc.array(fc.constantFrom(...deeds), { maxLength: 4 }),
      end: fc.constantFrom<Deed>('return', 'throw'),
      partition: fc.integer({ min: 1, max: 2 }),
    }),
    { maxLength: 12 },
  ),
  batchSize: fc.integer({ min: 1, max: 6 }),
  maxDeliveries: fc.integer({ min: 1, max: 5 }),
  style: fc.constantFrom('each', 'ordered', 'whole', 'response'),
  isPushed: fc.boolean(),
});

it('ends each message acked or dead-lettered, whatever happens on the way', async () => {
  await fc.assert(
    fc.asyncProperty(plans, async ({ messages: plan, batchSize, maxDeliveries, style, isPushed }) => {
      const clock = makeFakeClock();
      const broker = makeMemoryBroker({ clock });
      const settings = resolveOptions('test', stationOptions, { partitionsNumber: 2 });
      await broker.createStation('s', { ...settings, idempotencyWindowMs: 1000 });
      for (const [n, { partition }] of plan.entries()) {
        const data = new TextEncoder().encode(String(n));
        await broker.publish({ station: 's', partition, data, headers: {}, producerName: 't' }, { timeoutMs: 1 });
      }

      const seen = plan.map(() => 0);
      const succeeded = new Set<number>();
      const work = async (n: number, message: Message<number>): Promise<void> => {
        const deed = plan[n]?.deeds[seen[n] ?? 0] ?? plan[n]?.end;
        seen[n] = (seen[n] ?? 0) + 1;
        if (deed === 'throw') throw new Error('as planned');
        if (deed === 'later') throw new RetryLater({ delayMs: 700 });
        if (deed === 'never') throw new DeadLetter({ reason: 'as planned' });
        if (deed === 'delay') return message.delay(300);
        if (deed === 'deadLetter') return message.deadLetter('as planned');
        if (deed === 'crash') broker.crash();
        if (deed === 'unconfirmed') broker.failSettles(1);
        if (deed === 'ack') await message.ack();
        succeeded.add(n);
      };
      const whole: BatchHandler<number, undefined> = async (batch) => {
        for (const message of batch) await work(message.value(), message);
      };
      const response: BatchHandler<number, undefined> = async (batch) => {
        const results = await Promise.allSettled(batch.map((message) => work(message.value(), message)));
        const failed = batch.filter((_, index) => results[index]?.status === 'rejected');
        return { batchItemFailures: failed.map(({ id }) => ({ itemIdentifier: id })) };
      };
      const one = (n: number, { message }: { message: Message<number> }) => work(n, message);
      const handler = {
        whole,
        response,
        each: each<number, undefined>(one, { concurrency: 3 }),
        ordered: each<number, undefined>(one, { orderedBy: 'partition' }),
      }[style];
      const options = { backoff: { baseMs: 100, maxMs: 1000 }, workMs: Number.POSITIVE_INFINITY };
      /** The function as a poller calls it: event in, answer out. */
      const pushed: BatchHandler<number, undefined> = async (batch) => {
        const event: unknown = JSON.parse(JSON.stringify(toEvent({ mapping: 'm', station: 's', group: 'g' }, batch)));
        const { batch: inner, response: answer } = openPushedBatch(event);
        const result = await runBatch(inner, handler, undefined, options);
        if (result.failedAsWhole) throw result.error;
        return JSON.parse(JSON.stringify(answer()));
      };

      const reader = broker.reader({ station: 's', group: 'g', ackWaitMs: 5000, maxDeliveries });
      const allowed = plan.length * 12 + 20;
      let rounds = 0;
      for (; broker.unsettled('s', 'g') > 0 && rounds < allowed; rounds++) {
        const batch = await reader.pull({ batchSize, waitMs: 0 });
        try {
          const road = isPushed ? pushed : handler;
          const result = await runBatch(batch, road, undefined, { ...options, strict: isPushed });
          assert.equal(result.received, batch.messages.length);
          assert.equal(result.acked + result.retried + result.deadLettered + result.givenBack, result.received);
        } catch (error) {
          assert.ok(isMemphisError(error, 'SETTLE_UNCONFIRMED'), String(error));
        }
        await clock.advance(batch.messages.length === 0 ? 5000 : 50);
      }

      assert.ok(rounds < allowed, 'it never came to an end');
      const dead = new Set(broker.deadLetters.map(({ message }) => Number(new TextDecoder().decode(message.data))));
      for (const n of plan.keys()) {
        assert.ok(succeeded.has(n) || dead.has(n), `message ${n} was lost`);
        assert.ok((seen[n] ?? 0) <= maxDeliveries, `message ${n} was seen ${seen[n]} times`);
      }
    }),
    { numRuns: 300 },
  );
});
