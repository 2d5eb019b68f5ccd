/**
 * Watches whether streams and durables have leaders, so that a test can tell a call that gave up too early from an
 * election that took too long: on a busy machine servers may need several rounds.
 */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { apiError } from '../../src/brokers/jetstream/wire/api.ts';
import { isMemphisError } from '../../src/index.ts';
import type { Cluster } from './cluster.ts';
import { withRawApi } from './raw-api.ts';

/** Elections that take longer are not what calls have patience for: the shortest patience is 15 s, and looks take time. */
const LONG_MS = 13_000;
const LOOK_LIMIT_MS = 1_500;

export class LeaderWatch {
  readonly #cluster: Cluster;
  readonly #subjects: readonly string[];
  readonly #seenAt = new Map<string, number>();
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  #longestMs = 0;
  #stoppedAt: number | undefined;

  /** @param subjects of the API, such as `STREAM.INFO.orders` and `CONSUMER.INFO.orders.billing` */
  constructor(cluster: Cluster, subjects: readonly string[]) {
    this.#cluster = cluster;
    this.#subjects = subjects;
    this.#watching = this.#watch();
  }

  /** The longest time for which one of them was not seen with a leader. */
  get longestMs(): number {
    const now = this.#stoppedAt ?? performance.now();
    return Math.max(this.#longestMs, ...[...this.#seenAt.values()].map((at) => now - at));
  }

  /** Fails when something failed that patience heals. */
  check(failures: readonly unknown[]): void {
    const isExcused = (error: unknown): boolean => isMemphisError(error) && error.retryable;
    const counting = this.longestMs < LONG_MS ? failures : failures.filter((error) => !isExcused(error));
    assert.deepEqual(
      counting.map(String),
      [],
      `no call fails that patience heals (${Math.round(this.longestMs)} ms without leader)`,
    );
  }

  async stop(): Promise<void> {
    this.#stoppedAt ??= performance.now();
    this.#over.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    for (let turn = 0; !this.#over.signal.aborted; turn++) {
      const node = this.#cluster.nodes[turn % this.#cluster.nodes.length];
      // goes on with the same node while it answers
      if (node?.pid !== undefined) await withRawApi(node.port, (api) => this.#look(api)).catch(() => {});
      await sleep(100);
    }
  }

  async #look(api: (subject: string) => Promise<Readonly<Record<string, unknown>>>): Promise<void> {
    for (let answers = 1; answers > 0 && !this.#over.signal.aborted; await sleep(200)) {
      answers = 0;
      const looks = this.#subjects.map(async (subject) => {
        const reply = await Promise.race([api(subject), sleep(LOOK_LIMIT_MS, undefined, { ref: false })]);
        if (reply === undefined) return;
        answers++;
        const { error, cluster } = reply as {
          readonly error?: { readonly err_code: number };
          readonly cluster?: { readonly leader?: string };
        };
        const isMissing =
          error?.err_code === apiError.STREAM_NOT_FOUND || error?.err_code === apiError.CONSUMER_NOT_FOUND;
        if (isMissing || (cluster?.leader ?? '') !== '') this.#saw(subject);
      });
      await Promise.allSettled(looks);
    }
  }

  #saw(subject: string): void {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - (this.#seenAt.get(subject) ?? now));
    this.#seenAt.set(subject, now);
  }
}
