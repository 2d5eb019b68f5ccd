/**
 * A group's reader: batches out of all partitions of a station. Never asks for more than it hands over, and
 * leaves nothing open: a pull that outlives its function spends deliveries on nobody (freeze rules).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { Batch } from '../../model/batch.ts';
import type { PullOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StationSchema } from '../../model/schema.ts';
import { emit } from '../../telemetry/channels.ts';
import { allot, allotByPending } from './allot.ts';
import { storeDeadLetter } from './dead-letters.ts';
import { LOOK_EVERY_MS, LOOK_SHARED_EVERY_MS, losesToDeadPulls, pause } from './dead-pulls.ts';
import { type FirstCatch, type FirstFlight, flyFirst } from './first-flight.ts';
import { Group } from './groups.ts';
import { type Delivery, isForHandler, isLimited, type Lane } from './lane.ts';
import { byProspect } from './prospects.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import type { Retries } from './retries.ts';
import { askAll, type Round } from './round.ts';
import type { Schemas } from './schemas.ts';
import { type SetAside, Settler } from './settle.ts';
import { sortOut } from './sort-out.ts';
import type { Stations, StationView } from './stations.ts';

/** After waiting so long, look again for lanes that others have opened. */
const LONGEST_WAIT_MS = 5_000;

/** What reading needs to know of a station. */
type ReadView = Pick<StationView, 'partitions' | 'sendPoisonMsgToDls' | 'dlsStation'>;

/** Where a station's schema is found. */
type SchemaSource = Pick<Schemas, 'of' | 'looking' | 'current'>;

/** What a pull got, and the lanes that it got it from. */
interface Gathered {
  readonly deliveries: readonly Delivery[];
  readonly lanes: readonly Lane[];
}

export class JetStreamReader implements Reader {
  readonly #link: Link;
  readonly #stations: Stations;
  readonly #retries: Retries;
  readonly #schemas: SchemaSource | undefined;
  readonly #options: ReaderOptions;
  readonly #group: Group;
  readonly #setAside: SetAside;
  /** Lanes take turns in being asked first. */
  #turn = 0;

  /** @param parts what a broker has otherwise */
  constructor(
    link: Link,
    stations: Stations,
    retries: Retries,
    options: ReaderOptions,
    parts: { readonly group?: Group; readonly setAside?: SetAside; readonly schemas?: SchemaSource } = {},
  ) {
    this.#link = link;
    this.#stations = stations;
    this.#retries = retries;
    this.#schemas = parts.schemas;
    this.#options = options;
    this.#group = parts.group ?? new Group(link, stations, retries, options);
    this.#setAside = parts.setAside ?? storeDeadLetter;
  }

  async pull(options: PullOptions): Promise<Batch> {
    const flying = this.#flyFirst(options);
    const schema = this.#schema(options.waitMs + (options.patienceMs ?? PATIENCE_MS)); // beside the pull
    try {
      const batch = await this.#pull(options, flying);
      const found = await schema();
      return found === undefined ? batch : { ...batch, schema: found };
    } finally {
      await (await flying)?.end();
      await schema(); // nothing is under way when it is over
    }
  }

  /**
   * Where nothing is known yet, the first request leaves beside the look-ups. Not where a group of others, or another one
   * than was asked for, might be met: its messages are not to be taken before that is known.
   */
  #flyFirst({ batchSize, waitMs, partition = 1, patienceMs = PATIENCE_MS }: PullOptions) {
    const { station, binding, start, ordered } = this.#options;
    const isSure = binding === undefined && start === undefined && ordered !== true;
    if (!isSure || !this.#group.isUnknown) return undefined;
    return flyFirst(this.#link, this.#group, { station, partition, batchSize, limitMs: waitMs + patienceMs });
  }

  async #pull(options: PullOptions, flying: Promise<FirstFlight | undefined> | undefined): Promise<Batch> {
    const { station, group } = this.#options;
    const view = await this.#view(options.waitMs + (options.patienceMs ?? PATIENCE_MS));
    if (options.partition !== undefined && !view.partitions.includes(options.partition)) {
      throw new MemphisError('PARTITION_NOT_FOUND', `Station ${station} has no partition ${options.partition}.`, {
        station,
      });
    }
    const partitions = options.partition === undefined ? view.partitions : [options.partition];
    const waitUntilMs = Date.now() + options.waitMs;
    for (;;) {
      const waitMs = Math.max(0, waitUntilMs - Date.now());
      const { deliveries, lanes } = await this.#gather(partitions, { ...options, waitMs }, await flying);
      const batch = await this.#toBatch(deliveries, lanes, view, options.settleByMs);
      // nothing but messages that no handler gets: an empty batch would say that the station is empty
      if (batch.messages.length === 0 && deliveries.length > 0 && !options.signal?.aborted) continue;
      if (batch.messages.length === 0) await this.#group.settled();
      emit('memphis-serverless:pull', () => ({ station, group, messages: batch.messages.length }));
      return batch;
    }
  }

  async destroy(): Promise<void> {
    const { station, binding } = this.#options;
    const { partitions } = binding === undefined ? await this.#stations.find(station) : { partitions: [0] };
    await this.#group.destroy(partitions);
  }

  /** Starts to look for the station's schema where that is not known, or old. Its end never rejects. */
  #schema(patienceMs: number): () => Promise<StationSchema | undefined> {
    const { station, binding } = this.#options;
    const schemas = this.#schemas;
    if (binding !== undefined || schemas === undefined) return async () => undefined;
    const unread: StationSchema = { name: '', type: '', version: -1, source: '' };
    const looked = schemas.of(station, patienceMs).catch(() => unread);
    return async () => {
      const first = await looked;
      await schemas.looking(station);
      return first === unread ? unread : schemas.current(station);
    };
  }

  /** A stream of others is one partition without a number, and its dead letters are kept. */
  async #view(patienceMs: number): Promise<ReadView> {
    const { station, binding } = this.#options;
    return binding === undefined
      ? this.#stations.view(station, patienceMs)
      : { partitions: [0], sendPoisonMsgToDls: true, dlsStation: '' };
  }

  /** Takes what is there; when that is nothing, waits for the first. */
  #gather(partitions: readonly number[], options: PullOptions, first: FirstFlight | undefined): Promise<Gathered> {
    const { waitMs, signal, patienceMs = PATIENCE_MS } = options;
    const untilMs = Date.now() + waitMs;
    const takeAndLook = async (connection: Connection): Promise<Gathered> => {
      const looked = this.#group.refresh(connection); // beside the pull: what it finds serves from the next look on
      try {
        return await this.#take(connection, partitions, options, untilMs, first);
      } finally {
        await looked; // nothing is under way when the pull returns
      }
    };
    return repeat(this.#link, 'pull', waitMs + patienceMs, takeAndLook, signal);
  }

  async #take(
    connection: Connection,
    partitions: readonly number[],
    { batchSize, signal, patienceMs = PATIENCE_MS }: PullOptions,
    untilMs: number,
    first: FirstFlight | undefined,
  ): Promise<Gathered> {
    const lookUntilMs = untilMs + patienceMs;
    let lanes = await this.#lanes(connection, partitions, lookUntilMs, first);
    const due = await this.#group.extra(connection, partitions, false);
    const there = due.length === 0 ? [] : await this.#takeWhatIsThere(connection, due, batchSize);
    if (there.length < batchSize) {
      const caught = await first?.take(lanes);
      there.push(...(await this.#takeWhatIsThere(connection, lanes, batchSize - there.length, caught)));
    }
    if (there.length === 0) {
      const extra = await this.#group.extra(connection, partitions, true);
      if (extra.length > 0) there.push(...(await this.#takeWhatIsThere(connection, extra, batchSize)));
      lanes = [...lanes, ...extra];
    }
    while (there.length === 0 && !signal?.aborted) {
      const toWaitMs = Math.min(untilMs - Date.now(), LONGEST_WAIT_MS);
      if (toWaitMs < 1) break;
      there.push(...(await this.#waitForFirst(connection, lanes, batchSize, toWaitMs, signal)));
      if (there.length > 0 && there.length < batchSize && !signal?.aborted) {
        // what came with the first one is taken along; trouble here must not lose what is in hand
        const more = this.#takeWhatIsThere(connection, lanes, batchSize - there.length);
        there.push(...(await more.catch(() => [])));
      }
      if (there.length === 0) {
        await this.#group.refresh(connection);
        lanes = await this.#lanes(connection, partitions, lookUntilMs);
      }
    }
    return { deliveries: there, lanes };
  }

  /** Remembered, made when missing; where that fails, what is in hand goes first and the next pull meets the trouble. */
  async #lanes(
    connection: Connection,
    partitions: readonly number[],
    untilMs: number,
    first?: FirstFlight,
  ): Promise<readonly Lane[]> {
    try {
      return await this.#group.lanes(connection, partitions, Math.max(1, untilMs - Date.now()));
    } catch (error) {
      const inHand = await first?.laneInHand();
      if (inHand === undefined) throw error;
      return [inHand];
    }
  }

  async #takeWhatIsThere(
    connection: Connection,
    all: readonly Lane[],
    wanted: number,
    first?: FirstCatch,
  ): Promise<Delivery[]> {
    const turn = this.#turn++;
    const taken: Delivery[] = [...(first?.deliveries ?? [])];
    if (taken.length >= wanted) return taken;
    const isInTurn = wanted < all.length && all.some(isLimited);
    const lanes = isInTurn ? await byProspect(connection, all, turn) : all;
    const asked = new Set<number>(first?.isComplete === true ? [lanes.indexOf(first.lane)] : []);
    let shares =
      asked.size > 0
        ? this.#nextShares(
            wanted - taken.length,
            lanes.map((lane) => (lane === first?.lane ? first.pending : 0)),
            asked,
          )
        : allot(wanted - taken.length, lanes.length, isInTurn ? 0 : turn % lanes.length);
    while (shares.some((share) => share > 0)) {
      const round = await askAll(connection, this.#options.station, lanes, shares, 0).catch((error: unknown) => {
        if (taken.length === 0) throw error;
      });
      if (round === undefined) break; // the session has ended: what is in hand must not be lost
      taken.push(...round.deliveries);
      this.#check(round, taken.length);
      for (const [index, share] of shares.entries()) if (share > 0) asked.add(index);
      // asking on would lose what is in hand
      if (connection.isClosed || round.ends.includes('lost')) break;
      shares = this.#nextShares(wanted - taken.length, round.pending, asked);
    }
    return taken;
  }

  /** Whom to ask next: those that are known to hold more, else those that were not asked yet. */
  #nextShares(left: number, pending: readonly number[], asked: Set<number>): readonly number[] {
    if (left <= 0) return [];
    if (pending.some((count) => count > 0)) {
      asked.clear();
      return allotByPending(left, pending);
    }
    const unasked = [...pending.keys()].filter((index) => !asked.has(index));
    if (unasked.length === 0) return [];
    const spread = allot(left, unasked.length, 0);
    return pending.map((_, index) => spread[unasked.indexOf(index)] ?? 0);
  }

  /** Long polls, where they do no harm; with fewer messages wanted than there are lanes, these take turns in slices of the wait. */
  async #waitForFirst(
    connection: Connection,
    lanes: readonly Lane[],
    wanted: number,
    waitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Delivery[]> {
    if (losesToDeadPulls((await connection.info).version)) {
      // each request that runs out there is a moment in which a redelivery may go astray (dead-pulls.ts)
      const everyMs = this.#group.isShared ? LOOK_SHARED_EVERY_MS : LOOK_EVERY_MS;
      await pause(Math.min(waitMs, everyMs), signal);
      return signal?.aborted ? [] : this.#takeWhatIsThere(connection, lanes, wanted);
    }
    const slices = Math.ceil(lanes.length / wanted);
    const sliceMs = slices === 1 ? waitMs : Math.max(20, Math.min(waitMs, 500 / slices));
    const shares = allot(wanted, lanes.length, this.#turn);
    this.#turn += wanted;
    const round = await askAll(connection, this.#options.station, lanes, shares, Math.ceil(sliceMs), signal);
    this.#check(round, round.deliveries.length);
    return round.deliveries;
  }

  /** With nothing in hand, trouble of a partition is the pull's trouble; with something in hand, the next pull's. */
  #check(round: Round, inHand: number): void {
    for (const end of round.ends) {
      if (end === 'missing' || end === 'silent') {
        this.#group.forget();
        this.#stations.forget(this.#options.station); // made anew, it may have other partitions
      }
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

  async #toBatch(
    pulled: readonly Delivery[],
    lanes: readonly Lane[],
    view: ReadView,
    settleByMs = Number.POSITIVE_INFINITY,
  ): Promise<Batch> {
    const { station, group, ackWaitMs } = this.#options;
    let maxDeliveries = this.#options.maxDeliveries;
    for (const lane of lanes) if (lane.maxDeliver > 0) maxDeliveries = Math.min(maxDeliveries, lane.maxDeliver);
    const context = {
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
    };
    const settler = new Settler(context);
    let fresh = pulled;
    if (!pulled.every((delivery) => isForHandler(delivery, maxDeliveries))) {
      fresh = await sortOut(this.#link, settler, pulled, maxDeliveries);
    }
    return {
      station,
      group,
      messages: settler.add(fresh),
      maxDeliveries,
      ackWaitMs: Math.min(ackWaitMs, ...lanes.map((lane) => lane.ackWaitMs || ackWaitMs)),
      settle: (message, outcome) => {
        const settled = settler.settle(message, outcome);
        return this.#group.isShared ? settled.finally(() => this.#group.settled()) : settled;
      },
      extend: (messages) => settler.extend(messages),
    };
  }
}
