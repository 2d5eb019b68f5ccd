/**
 * The first request for messages leaves beside everything that has to be looked up, so that a cold start waits for one
 * flight: the partition list is a guess then, and what the guess brought is looked at when everything is known.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, Frame } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import { toDelivery } from './delivery.ts';
import type { Group } from './groups.ts';
import { type Delivery, isLimited, isOrdered, type Lane } from './lane.ts';
import { NO_WAIT_LIMIT_MS, SHARED_HANG_MS } from './round.ts';
import { ackPayload } from './wire/ack.ts';
import { type Pull, type PullEnd, startPull } from './wire/pull.ts';

/** Behind the answer of a durable that is new: longer, and it was not heard. */
const ELECTION_MS = 50;

/** What the guess brought, of a lane that is known by now. */
export interface FirstCatch {
  readonly lane: Lane;
  readonly deliveries: Delivery[];
  /** Messages behind these, known to be left. */
  readonly pending: number;
  /** Whether the lane was asked for what it has: otherwise it is to be asked again. */
  readonly isComplete: boolean;
}

export class FirstFlight {
  readonly #connection: Connection;
  readonly #station: string;
  readonly #lane: Promise<Lane | undefined>;
  readonly #ended: Promise<PullEnd | undefined>;
  #frames: Frame[] = [];
  #isTaken = false;
  #stopped: Promise<void> | undefined;

  constructor(
    connection: Connection,
    station: string,
    batch: number,
    at: { stream: string; durable: string; mayHang: boolean },
    lane: Promise<Lane>,
  ) {
    this.#connection = connection;
    this.#station = station;
    const request = { ...at, batch, waitMs: 0, hangMs: SHARED_HANG_MS, silenceMs: NO_WAIT_LIMIT_MS };
    const pull = startPull(connection, request, (frame) => this.#frames.push(frame));
    this.#lane = lane.catch(() => undefined); // who needs the lane asks for it too, and meets the error
    this.#ended = this.#lane.then((known) => {
      // a shared one was made before it was asked, so it answers, or is silent
      const isSure = known !== undefined && !known.isNew && (known.isShared || !isLimited(known));
      return isSure ? pull.ended : this.#mayNotEnd(known, pull);
    });
  }

  async #mayNotEnd(known: Lane | undefined, pull: Pull): Promise<PullEnd | undefined> {
    const isNew = known?.isNew === true;
    if (isNew && known.isShared === true) {
      // not where a cluster elects its leader first
      const end = await within(pull.ended, ELECTION_MS);
      if (end === undefined) await pull.stop();
      return end;
    }
    // a durable that was not there, or is at its limit, may never answer
    this.#stopped = pull.stop();
    if (isNew) return undefined; // asked again at once; what comes all the same is given back at the end
    await this.#stopped;
    return await pull.ended;
  }

  /**
   * What came, once: nothing from the second call on, since the lane may have more by then. Never rejects.
   *
   * @param lanes those that the group has, now that all is known
   */
  async take(lanes: readonly Lane[]): Promise<FirstCatch | undefined> {
    const [end, lane] = await Promise.all([this.#ended, this.#lane]);
    if (this.#isTaken || lane === undefined || !lanes.includes(lane)) return undefined;
    this.#isTaken = true;
    const deliveries = this.#frames.splice(0).map((frame) => toDelivery(frame, this.#station, lane));
    const pending = isOrdered(lane) ? 0 : (deliveries.at(-1)?.position.pending ?? 0);
    return { lane, deliveries, pending, isComplete: end === 'done' };
  }

  /** The lane that something came from and was not taken yet. Never rejects. */
  async laneInHand(): Promise<Lane | undefined> {
    await this.#ended;
    return this.#frames.length > 0 ? await this.#lane : undefined;
  }

  /**
   * Ends it. What nobody took is delivered again at once. Never rejects.
   *
   * @returns whether it was in vain: what it brings was not asked for, as by who may not look at the lane
   */
  async end(): Promise<boolean> {
    await this.#ended;
    await this.#stopped;
    const left = this.#frames.splice(0);
    if (!this.#connection.isClosed) for (const { reply } of left) this.#connection.publish(reply, ackPayload.nak(0));
    return !this.#isTaken;
  }
}

/** Begins it for a group of which nothing is known yet. Never rejects: trouble is met again by the pull itself. */
export async function flyFirst(
  link: Link,
  group: Group,
  {
    station,
    partition,
    batchSize,
    limitMs,
  }: { station: string; partition: number; batchSize: number; limitMs: number },
): Promise<FirstFlight | undefined> {
  const deadlineMs = Date.now() + limitMs;
  try {
    const connection = await link.ready(deadlineMs);
    void group.refresh(connection);
    // its durable may be made in the same flight, in front of this: it is asked for before anything waits
    const lane = group.own(partition, deadlineMs - Date.now());
    return new FirstFlight(
      connection,
      station,
      batchSize,
      { ...group.placeOf(partition), mayHang: group.isShared },
      lane,
    );
  } catch {
    return undefined;
  }
}
