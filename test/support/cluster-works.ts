/**
 * Things that functions, pollers and clients do with messages, going on while a cluster is in trouble. Each works on a
 * station of its own, with a replica on every node.
 */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MemphisEvent } from '../../src/envelope/event.ts';
import type { Client, Message } from '../../src/index.ts';
import { withMemphis } from '../../src/lambda/index.ts';
import { createPoller } from '../../src/poller/index.ts';
import { makeContext } from '../../src/testing/index.ts';
import type { Cluster } from './cluster.ts';
import { leftOf, readStream, untilHolds } from './cluster-streams.ts';

/** Something that goes on. */
export interface Work {
  /** Messages that are through, for whoever waits until it goes on. */
  done(): number;
  /** Feeds it no more, waits until all is through, and checks what came of it. */
  check(): Promise<void>;
}

/** Where works work. */
export interface Site {
  readonly cluster: Cluster;
  readonly client: Client;
  /** Aborted: works that were not asked for a result end too. */
  readonly over: AbortSignal;
}

const ACK_WAIT_MS = 5_000;
const SHORT_ACK_WAIT_MS = 2_000;
const reading = { group: 'g', maxAckTimeMs: ACK_WAIT_MS, maxMsgDeliveries: 100 } as const;

/** A station that is fed, and what became of its messages. */
class Scene {
  readonly station: string;
  readonly site: Site;
  readonly failures: string[] = [];
  readonly seen = new Map<string, number>();
  readonly #fed = new AbortController();
  #made = 0;
  #feeding: Promise<void> = Promise.resolve();
  #working: Promise<void> = Promise.resolve();

  constructor(site: Site, station: string) {
    this.site = site;
    this.station = station;
  }

  /** Makes the station, and feeds it from now on. */
  async open(): Promise<this> {
    await this.site.client.createStation(this.station, { replicas: 3 });
    const producer = await this.site.client.createProducer(this.station);
    this.#feeding = this.#while(this.#fed.signal, async () => {
      const ids = Array.from({ length: 5 }, () => String(++this.#made));
      for (const result of await producer.produceBatch(ids)) if (!result.ok) throw result.error;
      await sleep(100);
    });
    return this;
  }

  /** Every message that was fed, once it is fed no more. */
  get ids(): readonly string[] {
    return Array.from({ length: this.#made }, (_, index) => String(index + 1));
  }

  /** Does something again and again until it is over. What it throws fails the test. */
  repeat(work: () => Promise<unknown>): void {
    this.#working = this.#while(this.site.over, work);
  }

  /** Batches to a handler, until it is over. */
  read(handle: (messages: readonly Message[]) => Promise<unknown>, maxAckTimeMs = ACK_WAIT_MS): void {
    this.repeat(async () => {
      const options = { ...reading, maxAckTimeMs, batchMaxWaitMs: 500 };
      await handle(await this.site.client.fetchMessages(this.station, options));
    });
  }

  see(id: string): number {
    const times = (this.seen.get(id) ?? 0) + 1;
    this.seen.set(id, times);
    return times;
  }

  /** Ends feeding; resolves when no message of the group is left, and something else holds too. */
  async through(wrong: () => Promise<string | undefined> = async () => undefined): Promise<void> {
    this.#fed.abort();
    await this.#feeding;
    await untilHolds(60_000, async () => {
      const left = await leftOf(this.site.cluster, `${this.station}$1`, reading.group);
      return left > 0 ? `${left} left of ${this.station}` : await wrong();
    });
    assert.deepEqual(this.failures, [], 'nothing fails that patience heals');
    const unseen = this.ids.filter((id) => !this.seen.has(id));
    assert.deepEqual(unseen, [], 'each message came');
  }

  /** Dead letters, by what they hold. */
  deadLetters(): Promise<readonly string[]> {
    return readStream(this.site.cluster, `${this.station}$dls`);
  }

  async ended(): Promise<void> {
    await Promise.all([this.#feeding, this.#working]);
  }

  async #while(until: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    const either = AbortSignal.any([until, this.site.over]);
    while (!either.aborted && this.failures.length < 10) {
      await work().catch((error: unknown) => either.aborted || this.failures.push(String(error)));
    }
  }
}

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
    onError: (error) => scene.failures.push(String(error)),
  }).run({ signal: AbortSignal.any([stop.signal, site.over]) });
  running.catch((error: unknown) => scene.failures.push(String(error)));
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

/** Everything becomes a dead letter. What was confirmed is stored, whatever dies next. */
export async function deadLetters(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'dead').open();
  const confirmed = new Set<string>();
  scene.read((messages) =>
    Promise.all(
      messages.map(async (message) => {
        scene.see(message.text());
        await message.deadLetter('why');
        confirmed.add(message.text());
      }),
    ),
  );
  return {
    done: () => confirmed.size,
    check: async () => {
      await scene.through();
      assert.deepEqual([...(await scene.deadLetters())].sort(), [...scene.ids].sort(), 'each is stored, and once');
    },
  };
}

/** Times to settle after which a delay is parked, and a little. */
const PARKED_MS = 4 * SHORT_ACK_WAIT_MS + 1;

/** Each message is delayed for so long that it is parked, and is done when it comes back. */
export async function parked(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'parked').open();
  const back = new Set<string>();
  scene.read(
    (messages) =>
      Promise.all(
        messages.map(async (message) => {
          const times = scene.see(message.text());
          if (times === 1) return message.delay(PARKED_MS);
          await message.ack();
          back.add(message.text());
        }),
      ),
    SHORT_ACK_WAIT_MS,
  );
  return {
    done: () => scene.seen.size,
    check: async () => {
      await scene.through(async () => {
        const missing = scene.ids.filter((id) => !back.has(id));
        if (missing.length > 0) return `${missing.length} parked messages did not come back`;
        const left = await leftOf(site.cluster, 'parked$retry', `${reading.group}$1`);
        return left > 0 ? `${left} copies left` : undefined;
      });
      const { state } = (await site.cluster.api('$JS.API.STREAM.INFO.parked$retry')) as {
        state: Record<string, number>;
      };
      assert.equal(state.messages, 0, 'no copy stays behind');
      assert.ok((state.last_seq ?? 0) > scene.ids.length / 2, 'they were parked');
    },
  };
}

/** Dead letters are put back while others come. */
export async function redriven(site: Site): Promise<Work> {
  const scene = await new Scene(site, 'redriven').open();
  const done = new Set<string>();
  const letters = site.client.deadLetters('redriven');
  scene.read((messages) =>
    Promise.all(
      messages.map(async (message) => {
        if (scene.see(message.text()) === 1) return message.deadLetter('once');
        await message.ack();
        done.add(message.text());
      }),
    ),
  );
  const other = new Scene(site, 'redriven');
  other.repeat(async () => {
    const results = await letters.redriveAll();
    // a copy that was stored unheard is a duplicate now: it came back already
    await letters.drop(results.filter(({ outcome }) => outcome === 'duplicate').map(({ id }) => id));
    await sleep(200);
  });
  return {
    done: () => done.size,
    check: async () => {
      await scene.through(async () => {
        const missing = scene.ids.filter((id) => !done.has(id));
        return missing.length === 0 ? undefined : `${missing.length} dead letters did not come back`;
      });
      assert.deepEqual(other.failures, []);
    },
  };
}
