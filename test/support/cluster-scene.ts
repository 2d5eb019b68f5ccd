/** A station that is fed while a cluster is in trouble, and what became of its messages. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, FetchMessagesOptions, Message } from '../../src/index.ts';
import type { Cluster } from './cluster.ts';
import type { LeaderWatch } from './cluster-leaders.ts';
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
  /** Of all that works have on the cluster. */
  readonly watch: LeaderWatch;
  /** Aborted: works that were not asked for a result end too. */
  readonly over: AbortSignal;
}

export const ACK_WAIT_MS = 5_000;
/** How works read. */
export const reading = { group: 'g', maxAckTimeMs: ACK_WAIT_MS, maxMsgDeliveries: 100 } as const;

/** A station that is fed, and what became of its messages. */
export class Scene {
  readonly station: string;
  readonly site: Site;
  readonly failures: unknown[] = [];
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
  read(handle: (messages: readonly Message[]) => Promise<unknown>, more: FetchMessagesOptions = {}): void {
    this.repeat(async () => {
      const options = { ...reading, batchMaxWaitMs: 500, ...more };
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
    this.site.watch.check(this.failures);
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
    while (!either.aborted && this.failures.length < 100) {
      await work().catch((error: unknown) => either.aborted || this.failures.push(error));
    }
  }
}
