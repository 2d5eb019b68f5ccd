/**
 * A group on a Memphis broker. Its durables are made by ourselves, with the settings that the broker would choose: a
 * registration that succeeds may have made none (memphis-wire 5.2, 11.5). It is registered beside the first pull.
 */

import type { Connection } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import { nextTurn } from '../../model/next-turn.ts';
import { BEGAN_ELSEWHERE, conflictOf } from '../jetstream/group-rules.ts';
import { type FoundDurable, Group } from '../jetstream/groups.ts';
import type { Lane } from '../jetstream/lane.ts';
import { PATIENCE_MS } from '../jetstream/repeat.ts';
import type { Retries } from '../jetstream/retries.ts';
import { isStreamMissing, stationNotFound } from '../jetstream/stations.ts';
import { apiError, refusalOf } from '../jetstream/wire/api.ts';
import { createDurable, type Durable, durableInfo, updateDurable } from '../jetstream/wire/consumers.ts';
import { beganAt, fromLast, lastOf, type Place, toPolicy } from './begin.ts';
import type { MemphisBroker } from './broker.ts';
import { CONTROL_LIMIT_MS } from './limits.ts';
import { registerGroup } from './registration.ts';
import { Resends } from './resends.ts';

/** How often resends are looked for where there is always something else. */
const LOOK_EVERY_MS = 10_000;
/** How long making the stream of resends may take. */
const RESENDS_LIMIT_MS = 1_000;

export class MemphisGroup extends Group {
  override readonly isShared = true;
  readonly #broker: MemphisBroker;
  readonly #resends: Resends;
  /** Under which its registration is known. */
  readonly key: string;
  #lookedAt = Date.now();
  /** Where the registration is our own, or over: nothing was read there before another one was. */
  #registersOn: Connection | undefined;
  /** Connections on which the durables got their limit back. */
  readonly #limited = new WeakSet<Connection>();

  constructor(broker: MemphisBroker, retries: Retries, options: ReaderOptions) {
    super(broker.link, broker.stations, retries, options);
    this.#broker = broker;
    this.#resends = new Resends(broker.link, options);
    this.key = `consumer ${options.station} ${options.group}`;
  }

  override lanes(
    connection: Connection,
    partitions: readonly number[],
    patienceMs: number = PATIENCE_MS,
  ): readonly Lane[] | Promise<readonly Lane[]> {
    const lanes = super.lanes(connection, partitions, patienceMs);
    const isJoined = this.#broker.members.joined(connection, this.key) !== undefined;
    return isJoined && !this.#isToLimit(connection) ? lanes : this.#join(connection, partitions, patienceMs, lanes);
  }

  async #join(
    connection: Connection,
    partitions: readonly number[],
    patienceMs: number,
    found: readonly Lane[] | Promise<readonly Lane[]>,
  ): Promise<readonly Lane[]> {
    const lanes = await found;
    await this.met(connection, lanes);
    if (this.#isToLimit(connection)) await this.#limit(connection, partitions, patienceMs);
    return lanes;
  }

  override async met(connection: Connection, lanes: readonly Lane[]): Promise<void> {
    void this.register(connection);
    // of a group that nobody has heard of yet the broker keeps no dead letters, and its first message may end the process
    if (lanes.some(({ isNew }) => isNew)) await nextTurn();
  }

  #isToLimit(connection: Connection): boolean | undefined {
    return this.options.ordered && !this.#limited.has(connection);
  }

  /** A registration takes the limit away by which messages come one at a time. */
  async #limit(connection: Connection, partitions: readonly number[], patienceMs: number) {
    const registered = this.register(connection).then(() => true);
    if (!(await within(registered, patienceMs))) {
      throw new MemphisError('TIMEOUT', 'The broker did not answer in time that an ordered group is registered.');
    }
    const limitMs = Math.min(patienceMs, CONTROL_LIMIT_MS);
    await Promise.all(
      partitions.map((partition) => this.findOrMake(connection, this.placeOf(partition).stream, limitMs)),
    );
    this.#limited.add(connection);
  }

  /**
   * That of resends, now and then, and when there is nothing else. Not where single partitions are asked for: most resends do
   * not say of which they are.
   */
  override extra(
    connection: Connection,
    partitions: readonly number[],
    isEmpty: boolean,
  ): readonly Lane[] | Promise<readonly Lane[]> {
    const isDue = isEmpty || Date.now() - this.#lookedAt >= LOOK_EVERY_MS;
    return isDue ? this.#lookForResends(connection, partitions) : [];
  }

  async #lookForResends(connection: Connection, partitions: readonly number[]): Promise<readonly Lane[]> {
    const { partitions: all } = await this.stations.find(this.options.station);
    if (all.length !== partitions.length) return [];
    this.#lookedAt = Date.now();
    const lane = await this.resendLane(connection);
    return lane && (await this.#resends.areThere(connection, lane, RESENDS_LIMIT_MS)) ? [lane] : [];
  }

  /** Asked for before there are any, too: they are to find the stream that keeps them. Never rejects. Who else asks for it may have longer. */
  resendLane(connection: Connection, limitMs: number = RESENDS_LIMIT_MS): Promise<Lane | undefined> {
    const forMs = Math.min(limitMs, RESENDS_LIMIT_MS);
    return within(this.#resends.lane(connection, forMs), forMs);
  }

  /** A station that was made anew has no rows. */
  override forget(): void {
    super.forget();
    this.#resends.forget();
    this.#broker.members.forget(this.key);
  }

  /** Only where the station is known to be there: the broker would make it. @returns nothing where the group has no row */
  register(connection: Connection): Promise<unknown> {
    const { members, schemas } = this.#broker;
    this.#registersOn = connection;
    return members.join(connection, this.key, (on, timeoutMs) => registerGroup(on, this.options, schemas, timeoutMs));
  }

  /** The same settings again change nothing, so making comes before looking. */
  protected override async findOrMake(connection: Connection, stream: string, limitMs: number): Promise<FoundDurable> {
    const { station, start, ackWaitMs, maxDeliveries, ordered } = this.options;
    const limits = { ackWaitMs, maxDeliver: maxDeliveries, maxAckPending: ordered ? 1 : -1 };
    // one of other options that is under way would take these settings back; our own, which may be slow, only that limit
    const isOwn = this.#registersOn === connection && !ordered;
    const joining = isOwn ? undefined : this.#broker.members.joined(connection, this.key);
    if (joining) await joining;
    const place = { stream, durable: this.durableName };
    try {
      // mostly nothing waits up to here: the first request for messages leaves right behind this (first-flight.ts)
      const from =
        lastOf(start) < 1
          ? toPolicy(start)
          : await fromLast(this.#broker.link, connection, place, lastOf(start), limitMs);
      const durable = { name: this.durableName, from, filterSubject: `${stream}.final`, ...limits };
      return found(await createDurable(connection, stream, durable, limitMs));
    } catch (error) {
      if (refusalOf(error) === apiError.CONSUMER_NOT_CREATED)
        return await this.#adopt(connection, place, limits, limitMs);
      if (!isStreamMissing(error)) throw error;
      this.stations.forget(station);
      throw stationNotFound(station);
    }
  }

  /** One that is there with other settings. */
  async #adopt(connection: Connection, place: Place, limits: Limits, limitMs: number): Promise<FoundDurable> {
    const { start } = this.options;
    const { stream } = place;
    const known = await durableInfo(connection, stream, place.durable, limitMs);
    const why = conflictOf(known, {}); // one of others that settles otherwise would lose what fails
    if (why !== undefined) throw this.conflict(why);
    if (start !== undefined && !(await beganAt(connection, place, known, start, limitMs))) {
      throw this.conflict(BEGAN_ELSEWHERE);
    }
    return { durable: await updateDurable(connection, stream, known, limits, limitMs) };
  }
}

/** What a durable allows. */
interface Limits {
  readonly ackWaitMs: number;
  readonly maxDeliver: number;
  readonly maxAckPending: number;
}

/** One that has delivered nothing yet may be new: what was asked of it before met nobody then. */
function found(durable: Durable): FoundDurable {
  return durable.consumerSequence === 0 ? { durable, isNew: true } : { durable };
}
