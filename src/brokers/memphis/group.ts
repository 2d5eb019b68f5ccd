/**
 * A group on a Memphis broker. Its durables are made by ourselves, with the settings that the broker would choose: a
 * registration that succeeds may have made none (memphis-wire 5.2, 11.5). It is registered beside the first pull.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import { type FoundDurable, fromOf, Group } from '../jetstream/groups.ts';
import type { Lane } from '../jetstream/lane.ts';
import type { Retries } from '../jetstream/retries.ts';
import { isBefore } from '../jetstream/server-version.ts';
import { isStreamMissing, type Stations, stationNotFound } from '../jetstream/stations.ts';
import { apiError, refusalOf } from '../jetstream/wire/api.ts';
import {
  createDurable,
  type DeliverFrom,
  type Durable,
  durableInfo,
  updateDurable,
} from '../jetstream/wire/consumers.ts';
import { APP_ID } from './identity.ts';
import type { Members } from './members.ts';
import { registerConsumer } from './wire/consumer-creation.ts';

/** The broker lowers more to this without a word (5.2). */
export const MAX_DELIVERIES = 10;
/** How long the end of a function's work may wait for the answer to its registration. */
const SETTLED_LIMIT_MS = 1_000;

/**
 * The station at which groups are registered that must not be where they are read: a row anywhere is enough for the
 * broker to keep dead letters of a group, and there nothing is changed of its durables.
 */
export const ANCHOR_STATION = 'memphis-serverless';

export class MemphisGroup extends Group {
  protected override readonly isShared = true;
  readonly #members: Members;
  #joined: Promise<unknown> | undefined;

  constructor(link: Link, stations: Stations, retries: Retries, options: ReaderOptions, members: Members) {
    super(link, stations, retries, options);
    this.#members = members;
  }

  override async lanes(
    connection: Connection,
    partitions: readonly number[],
    patienceMs?: number,
  ): Promise<readonly Lane[]> {
    const lanes = await super.lanes(connection, partitions, patienceMs);
    this.register(connection);
    return lanes;
  }

  override async settled(): Promise<void> {
    if (this.#joined !== undefined) await within(this.#joined, SETTLED_LIMIT_MS);
  }

  /** Only where the station is known to be there: the broker would make it. @returns whether the group has a row */
  register(connection: Connection): Promise<boolean> {
    const { station, group, ackWaitMs, maxDeliveries } = this.options;
    const joining = this.#members.join(connection, `consumer ${station} ${group}`, async (on, timeoutMs) => {
      const { version } = await on.info;
      const isElsewhere = this.#isAnchored(version);
      const wanted = {
        name: group,
        station: isElsewhere ? ANCHOR_STATION : station,
        group,
        maxAckTimeMs: ackWaitMs,
        maxMsgDeliveries: maxDeliveries,
        appId: APP_ID,
        ...(isElsewhere ? { startConsumeFromSequence: 1, lastMessages: -1 } : this.#beginsAt(version)),
      };
      try {
        return await registerConsumer(on, wanted, timeoutMs);
      } catch (error) {
        // one that began elsewhere: it has had a row since, which is enough (6.2)
        if (error instanceof MemphisError && error.code === 'GROUP_CONFLICT') return true;
        throw error;
      }
    });
    this.#joined = joining;
    return joining.then((answer) => answer !== undefined);
  }

  /**
   * Up to 1.4.1 the broker deletes the durables of a group that has been asleep for two hours, with its position. And a
   * registration takes limits away from durables that it knows nothing of: those of a group that is read in order.
   */
  #isAnchored(version: string): boolean {
    const { start, ordered } = this.options;
    const beginsByCount = start !== undefined && 'lastMessages' in start && start.lastMessages > 0;
    return isBefore(version, 1, 4, 2) || ordered === true || beginsByCount;
  }

  /** What the registration says must agree with the durable, or it is refused (10012). */
  #beginsAt(version: string): { readonly startConsumeFromSequence: number; readonly lastMessages: number } {
    const { start } = this.options;
    // up to 1.4.2 a count of messages means something else there
    const lastMessages = start !== undefined && 'lastMessages' in start && !isBefore(version, 1, 4, 3) ? 0 : -1;
    return { startConsumeFromSequence: start !== undefined && 'sequence' in start ? start.sequence : 1, lastMessages };
  }

  /** The same settings again change nothing, so making comes before looking. */
  protected override async findOrMake(connection: Connection, stream: string, limitMs: number): Promise<FoundDurable> {
    const { station, start, ackWaitMs, maxDeliveries, ordered = false } = this.options;
    const limits = { ackWaitMs, maxDeliver: maxDeliveries, maxAckPending: ordered ? 1 : -1 };
    try {
      if (start === undefined || !('lastMessages' in start) || start.lastMessages === 0) {
        const from = toPolicy(start);
        return found(await this.#make(connection, stream, from, limits, limitMs));
      }
      const from = await fromOf(connection, stream, start, limitMs);
      return found(await this.#make(connection, stream, from, limits, limitMs));
    } catch (error) {
      if (isStreamMissing(error)) {
        this.stations.forget(station);
        throw stationNotFound(station);
      }
      if (refusalOf(error) !== apiError.CONSUMER_NOT_CREATED) throw error;
    }
    const known = await durableInfo(connection, stream, this.durableName, limitMs);
    if (start !== undefined && !beganAt(known, start)) {
      throw this.conflict('began somewhere else, and where a group begins cannot be changed');
    }
    return { durable: await updateDurable(connection, stream, known, limits, limitMs) };
  }

  #make(
    connection: Connection,
    stream: string,
    from: DeliverFrom,
    limits: { readonly ackWaitMs: number; readonly maxDeliver: number; readonly maxAckPending: number },
    limitMs: number,
  ): Promise<Durable> {
    const durable = { name: this.durableName, from, filterSubject: `${stream}.final`, ...limits };
    return createDurable(connection, stream, durable, limitMs);
  }
}

/** One that has delivered nothing yet may be new: what was asked of it before met nobody then. */
const found = (durable: Durable): FoundDurable =>
  durable.consumerSequence === 0 ? { durable, isNew: true } : { durable };

/** As the broker would make it (5.2). */
function toPolicy(start: ReaderOptions['start']): DeliverFrom {
  if (start === undefined) return { deliver_policy: 'all' };
  if ('lastMessages' in start) return { deliver_policy: 'new' };
  return start.sequence > 1
    ? { deliver_policy: 'by_start_sequence', opt_start_seq: start.sequence }
    : { deliver_policy: 'all' };
}

/** What a durable's start says. Of a count of messages the sequence that it came to is all that is left. */
function beganAt({ config }: Durable, start: NonNullable<ReaderOptions['start']>): boolean {
  const { deliver_policy: policy, opt_start_seq: sequence } = config;
  if ('lastMessages' in start && start.lastMessages > 0) return policy === 'by_start_sequence';
  const wanted = toPolicy(start);
  return policy === wanted.deliver_policy && (!('opt_start_seq' in wanted) || sequence === wanted.opt_start_seq);
}
