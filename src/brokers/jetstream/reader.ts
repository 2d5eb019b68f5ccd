/**
 * A group's reader: batches out of all partitions of a station. Never asks for more than it hands over, and
 * leaves nothing open: a pull that outlives its function spends deliveries on nobody (freeze rules).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { Batch } from '../../model/batch.ts';
import type { PullOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { isMemphisError, MemphisError } from '../../model/errors.ts';
import { emit } from '../../telemetry/channels.ts';
import { allot, allotByPending } from './allot.ts';
import { readCredit } from './credits.ts';
import { LOOK_EVERY_MS, losesToDeadPulls, pause } from './dead-pulls.ts';
import { type Delivery, toDelivery, withCredit } from './delivery.ts';
import { Group } from './groups.ts';
import { repeat } from './repeat.ts';
import { Settler } from './settle.ts';
import { type Stations, type StationView, streamOf } from './stations.ts';
import type { Durable } from './wire/consumers.ts';
import { type PullEnd, startPull } from './wire/pull.ts';

/** How long the broker may take over a pull that does not wait. */
const NO_WAIT_LIMIT_MS = 1_000;
/** Two heartbeats missed in this time: ask again. */
const SILENCE_MS = 5_000;
/** How long trouble (an election, a restart) is ridden out before a pull fails. */
const PATIENCE_MS = 12_000;
const SETTLE_LIMIT_MS = 12_000;

interface Round {
  readonly deliveries: readonly Delivery[];
  readonly ends: readonly PullEnd[];
  /** Messages known to be left, by partition index. */
  readonly pending: readonly number[];
}

/** What a pull got, and the durables that it got it from. */
interface Gathered {
  readonly deliveries: readonly Delivery[];
  readonly durables: readonly Durable[];
}

export class JetStreamReader implements Reader {
  readonly #link: Link;
  readonly #stations: Stations;
  readonly #options: ReaderOptions;
  readonly #group: Group;
  /** Partitions take turns in being asked first. */
  #turn = 0;

  constructor(link: Link, stations: Stations, options: ReaderOptions) {
    this.#link = link;
    this.#stations = stations;
    this.#options = options;
    this.#group = new Group(link, stations, options);
  }

  async pull(options: PullOptions): Promise<Batch> {
    const { station, group } = this.#options;
    const view = await this.#stations.view(station);
    if (options.partition !== undefined && !view.partitions.includes(options.partition)) {
      throw new MemphisError('PARTITION_NOT_FOUND', `Station ${station} has no partition ${options.partition}.`, {
        station,
      });
    }
    const partitions = options.partition === undefined ? view.partitions : [options.partition];
    const waitUntilMs = Date.now() + options.waitMs;
    for (;;) {
      const waitMs = Math.max(0, waitUntilMs - Date.now());
      const { deliveries, durables } = await this.#gather(partitions, { ...options, waitMs });
      const batch = await this.#toBatch(deliveries, durables, view);
      // nothing but messages whose deliveries ran out: an empty batch would say that the station is empty
      if (batch.messages.length === 0 && deliveries.length > 0 && !options.signal?.aborted) continue;
      emit('memphis-serverless:pull', () => ({ station, group, messages: batch.messages.length }));
      return batch;
    }
  }

  async destroy(): Promise<void> {
    const view = await this.#stations.view(this.#options.station);
    await this.#group.destroy(view.partitions);
  }

  /** Takes what is there; when that is nothing, waits for the first. */
  async #gather(
    partitions: readonly number[],
    { batchSize, waitMs, signal, patienceMs = PATIENCE_MS }: PullOptions,
  ): Promise<Gathered> {
    const waitUntilMs = Date.now() + waitMs;
    const take = async (connection: Connection): Promise<Gathered> => {
      // remembered, made when missing
      const durables = await Promise.all(partitions.map((partition) => this.#group.durable(partition)));
      const there = await this.#takeWhatIsThere(connection, partitions, batchSize);
      while (there.length === 0 && !signal?.aborted) {
        const leftMs = waitUntilMs - Date.now();
        if (leftMs < 1) break;
        there.push(...(await this.#waitForFirst(connection, partitions, batchSize, leftMs, signal)));
        if (there.length > 0 && there.length < batchSize && !signal?.aborted) {
          // what came with the first one is taken along; trouble here must not lose what is in hand
          const more = this.#takeWhatIsThere(connection, partitions, batchSize - there.length);
          there.push(...(await more.catch(() => [])));
        }
      }
      return { deliveries: there, durables };
    };
    return repeat(this.#link, 'pull', waitMs + patienceMs, take, signal);
  }

  async #takeWhatIsThere(connection: Connection, partitions: readonly number[], wanted: number): Promise<Delivery[]> {
    const taken: Delivery[] = [];
    let shares = allot(wanted, partitions.length, this.#turn++ % partitions.length);
    let asked = new Set<number>();
    while (shares.some((share) => share > 0)) {
      const round = await this.#round(connection, partitions, shares, 0);
      taken.push(...round.deliveries);
      this.#check(round, partitions, taken.length);
      for (const [index, share] of shares.entries()) if (share > 0) asked.add(index);
      // asking on would lose what is in hand
      if (connection.isClosed || round.ends.includes('lost')) break;
      const left = wanted - taken.length;
      const unasked = partitions.map((_, index) => index).filter((index) => !asked.has(index));
      if (left <= 0) break;
      if (round.pending.some((count) => count > 0)) {
        shares = allotByPending(left, round.pending);
        asked = new Set();
      } else if (unasked.length > 0) {
        const spread = allot(left, unasked.length, 0);
        shares = partitions.map((_, index) => spread[unasked.indexOf(index)] ?? 0);
      } else break;
    }
    return taken;
  }

  /** Long polls, where they do no harm; with fewer messages wanted than there are partitions, these take turns in slices of the wait. */
  async #waitForFirst(
    connection: Connection,
    partitions: readonly number[],
    wanted: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Delivery[]> {
    if (losesToDeadPulls((await connection.info).version)) {
      await pause(Math.min(waitMs, LOOK_EVERY_MS), signal);
      return signal?.aborted ? [] : this.#takeWhatIsThere(connection, partitions, wanted);
    }
    const slices = Math.ceil(partitions.length / wanted);
    const sliceMs = slices === 1 ? waitMs : Math.max(20, Math.min(waitMs, 500 / slices));
    const shares = allot(wanted, partitions.length, this.#turn);
    this.#turn += wanted;
    const round = await this.#round(connection, partitions, shares, Math.ceil(sliceMs), signal);
    this.#check(round, partitions, round.deliveries.length);
    return round.deliveries;
  }

  /** One request to each partition with a share; a waiting one is taken back as soon as anything has come. */
  async #round(
    connection: Connection,
    partitions: readonly number[],
    shares: readonly number[],
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<Round> {
    const deliveries: Delivery[] = [];
    const pending = partitions.map(() => 0);
    let onFirst: () => void = () => {};
    const first = new Promise<void>((resolve) => {
      onFirst = resolve;
    });
    const pulls = partitions.flatMap((partition, index) => {
      const batch = shares[index] ?? 0;
      if (batch === 0) return [];
      const request = {
        stream: streamOf(this.#options.station, partition),
        durable: this.#group.durableName,
        batch,
        waitMs,
        silenceMs: waitMs === 0 ? NO_WAIT_LIMIT_MS : Math.min(SILENCE_MS, waitMs + NO_WAIT_LIMIT_MS),
      };
      return startPull(connection, request, (frame) => {
        const delivery = toDelivery(frame, this.#options.station, partition);
        deliveries.push(delivery);
        pending[index] = delivery.pending;
        onFirst();
      });
    });
    const ends = Promise.all(pulls.map((pull) => pull.ended));
    if (waitMs > 0) {
      signal?.addEventListener('abort', onFirst, { once: true });
      if (signal?.aborted) onFirst();
      await Promise.race([first, ends]);
      signal?.removeEventListener('abort', onFirst);
      await Promise.all(pulls.map((pull) => pull.stop()));
    }
    return { deliveries, ends: await ends, pending };
  }

  /** With nothing in hand, trouble of a partition is the pull's trouble; with something in hand, the next pull's. */
  #check(round: Round, partitions: readonly number[], inHand: number): void {
    for (const end of round.ends) {
      if (end === 'missing' || end === 'silent') for (const partition of partitions) this.#group.forget(partition);
      if (inHand > 0 || end === 'done' || end === 'moved') continue;
      if (end === 'lost') throw new MemphisError('CONNECTION_LOST', 'The connection ended during a pull.');
      if (end === 'denied') {
        throw new MemphisError(
          'PERMISSION_DENIED',
          `Could not pull from station ${this.#options.station}: this user lacks the permission. Allow it $JS.API.CONSUMER.MSG.NEXT.> and _INBOX.>.`,
          { station: this.#options.station, group: this.#options.group },
        );
      }
      throw new MemphisError('TIMEOUT', `Station ${this.#options.station} did not answer a pull.`);
    }
  }

  /** Asked only of a message that is over its limit, so that the road without trouble costs nothing. */
  async #credited(delivery: Delivery, maxDeliveries: number): Promise<Delivery> {
    const { message, stream } = delivery;
    if (message.deliveryCount <= maxDeliveries) return delivery;
    const key = { stream, durable: this.#group.durableName, sequence: message.sequence };
    // without an answer it counts as exhausted: set aside whole, which can be put back, rather than lost
    return withCredit(delivery, await readCredit(this.#link, key).catch(() => 0));
  }

  async #toBatch(pulled: readonly Delivery[], durables: readonly Durable[], view: StationView): Promise<Batch> {
    const { station, group, ackWaitMs } = this.#options;
    const limits = durables.map((durable) => durable.maxDeliver).filter((limit) => limit > 0);
    const maxDeliveries = Math.min(this.#options.maxDeliveries, ...limits);
    const deliveries = await Promise.all(pulled.map((delivery) => this.#credited(delivery, maxDeliveries)));
    const settler = new Settler(
      {
        link: this.#link,
        stations: this.#stations,
        station,
        group,
        maxDeliveries,
        keepDeadLetters: view.sendPoisonMsgToDls,
        dlsStation: view.dlsStation,
        timeoutMs: SETTLE_LIMIT_MS,
      },
      deliveries,
    );
    // One delivery more than asked for: its message ran out without a word of a handler (a killed process)
    const isExhausted = ({ message }: Delivery): boolean => message.deliveryCount > maxDeliveries;
    const reason = `no deliveries left (${maxDeliveries}), and the last one ended without an answer`;
    await Promise.all(
      deliveries.filter(isExhausted).map((delivery) =>
        settler.settle(delivery.message, { action: 'deadLetter', reason }).catch((error: unknown) => {
          // not stored, so not terminated: it comes back and is tried again
          if (!isMemphisError(error, 'SETTLE_UNCONFIRMED')) throw error;
        }),
      ),
    );
    return {
      station,
      group,
      messages: deliveries.filter((delivery) => !isExhausted(delivery)).map((delivery) => delivery.message),
      maxDeliveries,
      ackWaitMs: Math.min(ackWaitMs, ...durables.map((durable) => durable.ackWaitMs || ackWaitMs)),
      settle: (message, outcome) => settler.settle(message, outcome),
      extend: (messages) => settler.extend(messages),
    };
  }
}
