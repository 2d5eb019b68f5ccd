/**
 * A group's reader: batches out of all partitions of a station. Never asks for more than it hands over, and
 * leaves nothing open: a pull that outlives its function spends deliveries on nobody (freeze rules).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import type { Batch } from '../../model/batch.ts';
import type { PullOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { NO_LIMIT } from '../../model/deadline.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { emit } from '../../telemetry/channels.ts';
import { storeDeadLetter } from './dead-letters.ts';
import { endInTime, type FirstFlight, flyFirst, type Gathered, LEAST_LATE_MS, OVERTIME_MS } from './first-flight.ts';
import { Group } from './groups.ts';
import { areForHandler, type Delivery, type Lane } from './lane.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import type { Retries } from './retries.ts';
import { Settler } from './settle.ts';
import type { SetAside } from './settling.ts';
import { giveBack, sortOut } from './sort-out.ts';
import type { Stations, StationView } from './stations.ts';
import { Taker } from './taker.ts';

/** After waiting so long, look again for lanes that others have opened. */
const LONGEST_WAIT_MS = 5_000;

/** A pull has so much, or half of what is left, however little that is. */
const LEAST_MS = 300;

/** What reading needs to know of a station. */
type ReadView = Pick<StationView, 'partitions' | 'sendPoisonMsgToDls' | 'dlsStation'>;

const NOTHING: readonly Delivery[] = [];
/** A stream of others is one partition without a number, and its dead letters are kept. */
const OF_OTHERS: ReadView = { partitions: [0], sendPoisonMsgToDls: true, dlsStation: '' };

/** Taken back before its answer can come, a request spends deliveries on nobody. */
function restOf({ settleByMs = NO_LIMIT }: PullOptions): number {
  return Math.max(2 * LEAST_LATE_MS, settleByMs - Date.now());
}

/** Half of what is left of the function is for settling what is found. */
function lookLimit(options: PullOptions): number {
  return Math.min(PATIENCE_MS, restOf(options) / 2);
}

function partitionNotFound(station: string, partition: number): MemphisError {
  return new MemphisError('PARTITION_NOT_FOUND', `Station ${station} has no partition ${partition}.`, { station });
}

export class JetStreamReader implements Reader {
  readonly #link: Link;
  readonly #stations: Stations;
  readonly #retries: Retries;
  readonly #schemas: (() => StationSchemas) | undefined;
  readonly #options: ReaderOptions;
  readonly #group: Group;
  readonly #setAside: SetAside;
  /** Messages were asked for early in vain, which may have cost each of them a delivery: not once more. */
  #isWary = false;
  readonly #taker: Taker;

  /** @param parts what a broker has otherwise */
  constructor(
    link: Link,
    stations: Stations,
    retries: Retries,
    options: ReaderOptions,
    parts: { readonly group?: Group; readonly setAside?: SetAside; readonly schemas?: () => StationSchemas } = {},
  ) {
    this.#link = link;
    this.#stations = stations;
    this.#retries = retries;
    this.#schemas = parts.schemas;
    this.#options = options;
    this.#group = parts.group ?? new Group(link, stations, retries, options);
    this.#setAside = parts.setAside ?? storeDeadLetter;
    this.#taker = new Taker(this.#group, stations, options);
  }

  /** What is known of its durables. */
  get group(): Group {
    return this.#group;
  }

  async pull(options: PullOptions): Promise<Batch> {
    const { station, binding } = this.#options;
    const { waitMs, patienceMs = PATIENCE_MS } = options;
    const restMs = restOf(options);
    // who has little time would have none left: a server that is well answers long before that
    const limitMs = Math.min(waitMs + patienceMs, Math.max(Math.min(restMs / 2, LEAST_MS), restMs - OVERTIME_MS));
    const deadlineMs = Date.now() + limitMs;
    const flying = this.#flyFirst(options, limitMs);
    const schema = binding === undefined ? this.#schemas?.().beside(station, limitMs) : undefined;
    let found: StationSchema | Promise<StationSchema | undefined> | undefined;
    let batch: Batch;
    try {
      batch = await this.#pull(options, flying, deadlineMs);
    } finally {
      // nothing is under way when it is over
      const first = flying && (await flying);
      if (first !== undefined) {
        this.#isWary = await first.end();
        if (first.isLeft) await this.#giveBack(first, options);
      }
      found = schema?.(leftUntil(deadlineMs));
      if (found instanceof Promise) found = await found;
    }
    return found === undefined ? batch : { ...batch, schema: found };
  }

  /**
   * Where nothing is known yet, the first request leaves beside the look-ups. Not where a group of others, or another one
   * than was asked for, might be met: its messages are not to be taken before that is known.
   */
  #flyFirst({ batchSize, partition = 1, settleByMs = NO_LIMIT }: PullOptions, limitMs: number) {
    const { station, binding, start, ordered } = this.#options;
    const isSure = binding === undefined && start === undefined && ordered !== true;
    if (!isSure || !this.#group.isUnknown || this.#isWary) return undefined;
    return flyFirst(this.#link, this.#group, { station, partition, batchSize, settleByMs }, limitMs);
  }

  #settler(view: ReadView, maxDeliveries: number, { settleByMs = NO_LIMIT }: PullOptions): Settler {
    const { station, group } = this.#options;
    return new Settler({
      link: this.#link,
      stations: this.#stations,
      retries: this.#retries,
      station,
      group,
      durable: this.#group.durableName,
      maxDeliveries,
      setAside: this.#setAside,
      keepDeadLetters: view.sendPoisonMsgToDls,
      dlsStation: view.dlsStation,
      settleByMs,
    });
  }

  /** What the first request brought and nobody may take. What has deliveries left comes back by itself at once. */
  async #giveBack(first: FirstFlight, options: PullOptions): Promise<void> {
    const { maxDeliveries } = this.#options;
    const last = await first.giveBack(maxDeliveries);
    await giveBack(
      this.#link,
      this.#settler(OF_OTHERS, maxDeliveries, options),
      last,
      maxDeliveries,
      lookLimit(options),
    );
  }

  async #pull(
    options: PullOptions,
    flying: Promise<FirstFlight | undefined> | undefined,
    deadlineMs: number,
  ): Promise<Batch> {
    const { station, group, binding } = this.#options;
    const { partition, signal, settleByMs = NO_LIMIT } = options;
    const known = binding === undefined ? this.#stations.known(station) : OF_OTHERS;
    const view = known ?? (await this.#stations.view(station, leftUntil(deadlineMs)));
    if (partition !== undefined && !view.partitions.includes(partition)) throw partitionNotFound(station, partition);
    const partitions = partition === undefined ? view.partitions : [partition];
    const untilMs = Math.min(Date.now() + options.waitMs, deadlineMs);
    const first = flying && (await flying);
    const takeAndLook = async (connection: Connection): Promise<Gathered> => {
      const endLimit = endInTime(connection, deadlineMs, settleByMs);
      const looked = this.#group.refresh(connection, leftUntil(deadlineMs)); // beside the pull: what it finds serves from the next look on
      try {
        return await this.#take(connection, partitions, options, untilMs, deadlineMs, first);
      } finally {
        if (looked !== undefined) await looked; // nothing is under way when the pull returns
        endLimit();
      }
    };
    let full = first && (await first.takeFull(partitions));
    for (;;) {
      const gathered = full ?? (await repeat(this.#link, 'pull', leftUntil(deadlineMs), takeAndLook, signal));
      const { deliveries } = gathered;
      let { maxDeliveries, ackWaitMs } = this.#options;
      for (const lane of gathered.lanes) {
        if (lane.maxDeliver > 0) maxDeliveries = Math.min(maxDeliveries, lane.maxDeliver);
        if (lane.ackWaitMs > 0) ackWaitMs = Math.min(ackWaitMs, lane.ackWaitMs);
      }
      const settler = this.#settler(view, maxDeliveries, options);
      const isPlain = areForHandler(deliveries, maxDeliveries);
      const messages = isPlain
        ? deliveries
        : await sortOut(this.#link, settler, deliveries, maxDeliveries, lookLimit(options));
      // nothing but messages that no handler gets: an empty batch would say that the station is empty
      if (messages.length === 0 && deliveries.length > 0 && !signal?.aborted && Date.now() < deadlineMs) {
        full = undefined;
        continue;
      }
      emit('memphis-serverless:pull', () => ({ station, group, messages: messages.length }));
      settler.add(messages);
      return {
        station,
        group,
        messages,
        maxDeliveries,
        ackWaitMs,
        settle: (message, outcome) => settler.settle(message, outcome),
        settleAll: (...decided) => settler.settleAll(...decided),
        extend: (undecided) => settler.extend(undecided),
      };
    }
  }

  /** Takes what is there; when that is nothing, waits for the first. */
  async #take(
    connection: Connection,
    partitions: readonly number[],
    options: PullOptions,
    untilMs: number,
    deadlineMs: number,
    first: FirstFlight | undefined,
  ): Promise<Gathered> {
    const { batchSize } = options;
    // what is known is taken at once: each wait of a warm function costs it as much as a message
    const asked = this.#lanes(connection, partitions, deadlineMs, first);
    const lanes = asked instanceof Promise ? await asked : asked;
    // not beside what was asked for early: both together might be more than is wanted
    const extra = first ? [] : this.#group.extra(connection, partitions, false);
    const due = extra instanceof Promise ? await extra : extra;
    let there =
      due.length === 0 ? NOTHING : await this.#taker.whatIsThere(connection, due, batchSize, lookLimit(options));
    if (there.length < batchSize) {
      const caught = first && (await first.take(lanes));
      const more = this.#taker.whatIsThere(connection, lanes, batchSize - there.length, lookLimit(options), caught);
      // trouble here must not lose what is in hand
      there = there.length === 0 ? await more : there.concat(await more.catch(() => NOTHING));
    }
    return there.length > 0
      ? { deliveries: there, lanes }
      : this.#waitFor(connection, partitions, options, untilMs, deadlineMs, lanes);
  }

  /** Nothing was there: looks at what is seldom asked, then waits for the first. */
  async #waitFor(
    connection: Connection,
    partitions: readonly number[],
    options: PullOptions,
    untilMs: number,
    deadlineMs: number,
    empty: readonly Lane[],
  ): Promise<Gathered> {
    const { batchSize, signal } = options;
    const extra = await this.#group.extra(connection, partitions, true);
    let there =
      extra.length === 0 ? NOTHING : await this.#taker.whatIsThere(connection, extra, batchSize, lookLimit(options));
    let lanes = [...empty, ...extra];
    while (there.length === 0 && !signal?.aborted) {
      const toWaitMs = Math.min(untilMs - Date.now(), LONGEST_WAIT_MS);
      if (toWaitMs < 1) break;
      there = await this.#taker.theFirst(connection, lanes, batchSize, toWaitMs, lookLimit(options), signal);
      if (there.length > 0 && there.length < batchSize && !signal?.aborted) {
        // what came with the first one is taken along; trouble here must not lose what is in hand
        const more = this.#taker.whatIsThere(connection, lanes, batchSize - there.length, lookLimit(options));
        there = there.concat(await more.catch(() => NOTHING));
      }
      if (there.length === 0) {
        await this.#group.refresh(connection, leftUntil(deadlineMs));
        lanes = [...(await this.#lanes(connection, partitions, deadlineMs))];
      }
    }
    return { deliveries: there, lanes };
  }

  /** Remembered, made when missing; where that fails, what is in hand goes first and the next pull meets the trouble. */
  #lanes(
    connection: Connection,
    partitions: readonly number[],
    deadlineMs: number,
    first?: FirstFlight,
  ): readonly Lane[] | Promise<readonly Lane[]> {
    const lanes = this.#group.lanes(connection, partitions, leftUntil(deadlineMs));
    if (!(first && lanes instanceof Promise)) return lanes;
    return lanes.catch(async (error: unknown) => {
      const inHand = await first.laneInHand();
      if (inHand === undefined) throw error;
      return [inHand];
    });
  }
}
