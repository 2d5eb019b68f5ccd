/** Producers and consumers at work while a cluster is in trouble: who did what, and what came of it. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Consumer, connect, type Message, type Producer } from '../../src/index.ts';
import type { Cluster } from './cluster.ts';
import { LeaderWatch } from './cluster-leaders.ts';
import { leftOf, readStream, untilHolds } from './cluster-streams.ts';

const PARTITIONS = [1, 2] as const;
/** Time to settle of both groups: what a dead server delivered to nobody comes back after it. */
const ACK_WAIT_MS = 8_000;
/** Longer than any call may take by its own limits. */
const LONGEST_MS = 30_000;
const GROUPS = ['background', 'fetching'] as const;
const laneOf = (group: string, partition: number): string => `${group} ${partition}`;

/** Whether an error says that the broker does not know of a delivery any more; no patience heals that. */
function isOfForgotten(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /has forgotten that it delivered this/.test(error.message) || isOfForgotten(error.cause);
}

/** What a run of traffic came to. */
export interface TrafficReport {
  /** Messages whose produce was confirmed. */
  readonly produced: number;
  /** Calls that gave up, while there was no leader for longer than anybody has patience. */
  readonly failed: number;
  /** The longest time for which a stream or durable was not seen with a leader. */
  readonly leaderlessMs: number;
  /** Deliveries beyond the first to a group, both groups. */
  readonly again: number;
  /** Stored, and not handled. */
  readonly passedOver: number;
  /** The longest call of each kind. */
  readonly longestMs: Readonly<Record<string, number>>;
}

/**
 * Traffic on a station of its own, with a replica on every node. Each client is connected to another node: on each of them
 * one produces and one reads.
 */
export class Traffic implements AsyncDisposable {
  readonly station: string;
  readonly #cluster: Cluster;
  readonly #clients: readonly Client[];
  readonly #failures: unknown[] = [];
  readonly #watch: LeaderWatch;
  readonly #longestMs: Record<string, number> = {};
  readonly #produced = new Set<string>();
  /** Ids by group and partition. */
  readonly #seen = new Map(GROUPS.flatMap((group) => PARTITIONS.map((p) => [laneOf(group, p), new Set<string>()])));
  readonly #handled = new Map<string, Map<string, number>>();
  readonly #producing = new AbortController();
  readonly #reading = new AbortController();
  #made = 0;
  #producersOf: readonly Producer[] = [];
  #producers: Promise<unknown> = Promise.resolve();
  readonly #bursts: Promise<unknown>[] = [];
  #readers: Promise<unknown> = Promise.resolve();
  #background: Consumer | undefined;

  private constructor(cluster: Cluster, station: string, clients: readonly Client[]) {
    this.#cluster = cluster;
    this.station = station;
    this.#clients = clients;
    this.#watch = new LeaderWatch(
      cluster,
      PARTITIONS.map((partition) => `${station}$${partition}`).flatMap((stream) => [
        `STREAM.INFO.${stream}`,
        ...GROUPS.map((group) => `CONSUMER.INFO.${stream}.${group}`),
      ]),
    );
  }

  static async start(cluster: Cluster, station: string): Promise<Traffic> {
    // one server each: the others are learned, and dialled when that one is gone
    const clients = await Promise.all(cluster.urls.map((url) => connect({ servers: [url] })));
    const traffic = new Traffic(cluster, station, clients);
    try {
      await clients[0]?.createStation(station, { replicas: 3, partitionsNumber: PARTITIONS.length });
      await traffic.#run();
      await traffic.goesOn();
      return traffic;
    } catch (error) {
      await traffic[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Each client writes so many messages at once, without waiting for one another; for the moment of a fault. */
  burst(count: number): void {
    const sent = Promise.all(this.#producersOf.map((producer) => this.#sendBatch(producer, count)));
    this.#bursts.push(sent.catch((error: unknown) => this.#failures.push(error)));
  }

  /** Resolves when messages stored from now on, in each partition, are handled by both groups: the trouble is over. */
  async goesOn(): Promise<void> {
    const from = this.#made;
    await untilHolds(120_000, async () => {
      const counts = GROUPS.flatMap((group) =>
        PARTITIONS.map((partition) => {
          const ids = [...(this.#seen.get(laneOf(group, partition)) ?? [])];
          return ids.filter((id) => Number(id) > from).length;
        }),
      );
      return counts.every((count) => count > 20)
        ? undefined
        : `${counts} new messages handled, ${this.#failures.length} failures: ${this.#failures[0]}`;
    });
  }

  /** Resolves when every replica of everything is there and has all. */
  async settled(): Promise<void> {
    for (const partition of PARTITIONS) {
      const stream = `${this.station}$${partition}`;
      await this.#cluster.settled(stream);
      for (const group of GROUPS) await this.#cluster.settled(stream, group);
    }
  }

  /**
   * Ends producing, waits until all is handled, and checks the promises.
   *
   * @param mayPassOver a group may not be given all that is stored: a share of it, which is there all the same. Its new leader
   *   may also have forgotten deliveries, so that settling them ends unconfirmed
   */
  async finish({ mayPassOver = false }: { readonly mayPassOver?: boolean } = {}): Promise<TrafficReport> {
    this.#producing.abort();
    await Promise.all([this.#producers, ...this.#bursts]);
    await untilHolds(mayPassOver ? 30_000 : 60_000, () => this.#whatIsLeft()).catch((error: unknown) => {
      if (!mayPassOver || this.#passedOver() > this.#produced.size / 4) throw error;
    });
    const passedOver = this.#passedOver();
    this.#reading.abort();
    await Promise.all([this.#readers, this.#background?.stop()]);
    await this.#watch.stop();
    // handled they were, each of them: that was looked at just now
    this.#watch.check(mayPassOver ? this.#failures.filter((error) => !isOfForgotten(error)) : this.#failures);
    for (const [kind, ms] of Object.entries(this.#longestMs)) assert.ok(ms < LONGEST_MS, `${kind} took ${ms} ms`);
    await this.#isStoredOnce();
    const leaderlessMs = Math.round(this.#watch.longestMs);
    const { size: produced } = this.#produced;
    const [failed, again] = [this.#failures.length, this.#again()];
    return { produced, failed, again, passedOver, leaderlessMs, longestMs: this.#longestMs };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#producing.abort();
    this.#reading.abort();
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([this.#producers, this.#readers, this.#watch.stop(), ...this.#bursts]);
  }

  async #run(): Promise<void> {
    this.#producersOf = await Promise.all(this.#clients.map((client) => client.createProducer(this.station)));
    this.#producers = Promise.all(
      this.#producersOf.flatMap((producer) => [
        this.#while(this.#producing.signal, 10, async () => {
          const id = this.#nextId();
          // every other one under an id of the caller's, the rest under ours
          const options = Number(id) % 2 === 0 ? {} : { msgId: id };
          await this.#timed('produce', producer.produce(id, options));
          this.#produced.add(id);
        }),
        this.#while(this.#producing.signal, 300, () => this.#sendBatch(producer, 20)),
      ]),
    );
    const options = { batchSize: 20, batchMaxWaitMs: 1_000, maxAckTimeMs: ACK_WAIT_MS, maxMsgDeliveries: 100 };
    const [first, ...others] = this.#clients;
    this.#background = await first?.createConsumer(this.station, {
      ...options,
      group: 'background',
      onError: (error) => this.#failures.push(error),
    });
    this.#background?.consume((messages) => this.#handle('background', messages));
    this.#readers = Promise.all(
      others.map((client) =>
        this.#while(this.#reading.signal, 0, async () => {
          const fetching = client.fetchMessages(this.station, { ...options, group: 'fetching' });
          await this.#handle('fetching', await this.#timed('fetch', fetching));
        }),
      ),
    );
  }

  async #sendBatch(producer: Producer, count: number): Promise<void> {
    const ids = Array.from({ length: count }, () => this.#nextId());
    const results = await this.#timed('produceBatch', producer.produceBatch(ids));
    for (const [index, result] of results.entries()) {
      if (result.ok) this.#produced.add(ids[index] ?? '');
      else this.#failures.push(result.error);
    }
  }

  async #handle(group: string, messages: readonly Message[]): Promise<void> {
    for (const message of messages) {
      const counts = this.#handledBy(group);
      counts.set(message.text(), (counts.get(message.text()) ?? 0) + 1);
      this.#seen.get(laneOf(group, message.partition))?.add(message.text());
    }
    await this.#timed('ack', Promise.all(messages.map((message) => message.ack())));
  }

  /** Again and again until told otherwise. What it throws is a failure of the test, and the others go on. */
  async #while(signal: AbortSignal, pauseMs: number, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await work().catch((error: unknown) => this.#failures.push(error));
      if (this.#failures.length > 1_000) return;
      await sleep(pauseMs);
    }
  }

  async #timed<T>(kind: string, call: Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await call;
    } finally {
      const tookMs = Math.round(performance.now() - startedAt);
      this.#longestMs[kind] = Math.max(this.#longestMs[kind] ?? 0, tookMs);
    }
  }

  #nextId(): string {
    this.#made += 1;
    return String(this.#made);
  }

  #handledBy(group: string): Map<string, number> {
    const counts = this.#handled.get(group) ?? new Map<string, number>();
    this.#handled.set(group, counts);
    return counts;
  }

  #again(): number {
    const counts = [...this.#handled.values()].flatMap((handled) => [...handled.values()]);
    return counts.reduce((sum, count) => sum + count - 1, 0);
  }

  /** Both by what handlers saw and by what the leaders of the durables say: nothing unsettled, nothing undelivered. */
  async #whatIsLeft(): Promise<string | undefined> {
    for (const group of GROUPS) {
      const missing = [...this.#produced].filter((id) => !this.#handledBy(group).has(id));
      if (missing.length > 0) return `${missing.length} of ${this.#produced.size} not handled by ${group}`;
      for (const partition of PARTITIONS) {
        const left = await leftOf(this.#cluster, `${this.station}$${partition}`, group);
        if (left > 0) return `${left} left of ${group} in partition ${partition}`;
      }
    }
    return undefined;
  }

  /** Messages that were stored, and that a group has not handled: the most of any group. */
  #passedOver(): number {
    const missing = GROUPS.map((group) => [...this.#produced].filter((id) => !this.#handledBy(group).has(id)).length);
    return Math.max(...missing);
  }

  async #isStoredOnce(): Promise<void> {
    const streams = PARTITIONS.map((partition) => readStream(this.#cluster, `${this.station}$${partition}`));
    const stored = (await Promise.all(streams)).flat();
    const ids = new Set(stored);
    assert.deepEqual(stored.length - ids.size, 0, 'no message is stored twice');
    const lost = [...this.#produced].filter((id) => !ids.has(id));
    assert.deepEqual(lost, [], 'no confirmed message is lost');
    // what was given up may be stored or not
    if (this.#failures.length === 0) assert.equal(ids.size, this.#made, 'what was produced is what is stored');
  }
}
