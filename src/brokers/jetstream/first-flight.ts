/**
 * The first request for messages leaves beside everything that has to be looked up, so that a cold start waits for one
 * flight: the partition list is a guess then, and what the guess brought is looked at when everything is known.
 */

import type { Link } from '../../connection/link.ts';
import { silentMs } from '../../connection/liveness.ts';
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

/** What is asked for before anything is known. */
interface FirstRequest {
  readonly station: string;
  readonly partition: number;
  readonly batchSize: number;
  /** As in `endInTime`. */
  readonly settleByMs: number;
}

/** What a pull got, and the lanes that it got it from. */
export interface Gathered {
  readonly deliveries: readonly Delivery[];
  readonly lanes: readonly Lane[];
}

/**
 * How long behind the time that there is an answer may come: the server counts a wait from when it hears of it, and may be far away. And
 * how long it may take to answer a ping then.
 */
const LATE_MS = 250;
/** However little is left: what others use too is not ended for a round trip. It fits into what a function keeps back to return. */
export const LEAST_LATE_MS = 50;
/** So much longer than its time a pull may take. */
export const OVERTIME_MS = 500;

/**
 * Ends a session that is dead when the time is over, and with that all that is waited for there: each wait has a limit of its own, and
 * these add up. One that answers stays: others may use it, and a station without a leader is silent too.
 *
 * @param settleByMs who has less time until then does not have all of it
 * @returns ends the limit
 */
export function endInTime(connection: Connection, deadlineMs: number, settleByMs: number): () => void {
  const lateMs = Math.max(LEAST_LATE_MS, Math.min(LATE_MS, (settleByMs - deadlineMs) / 2));
  return connection.startLimit(deadlineMs - Date.now() + lateMs, () => {
    const isSilent = (): boolean => silentMs(connection) >= lateMs;
    if (!isSilent()) return;
    // heard meanwhile it lives, however far away: the answer to the ping is on its way behind what came
    connection.flush(lateMs).catch(() => {
      if (isSilent()) void connection.close();
    });
  });
}

export class FirstFlight {
  readonly #connection: Connection;
  readonly #group: Group;
  readonly #station: string;
  readonly #lane: Promise<Lane | undefined>;
  readonly #ended: Promise<PullEnd | undefined>;
  readonly #batch: number;
  #frames: Frame[] = [];
  #isTaken = false;
  readonly #endLimit: () => void;
  #stopped: Promise<void> | undefined;
  /** For copies that come back: what it finds serves the next pull too. */
  readonly #looked: Promise<void> | undefined;

  constructor(
    connection: Connection,
    group: Group,
    { station, partition, batchSize, settleByMs }: FirstRequest,
    untilMs: number,
  ) {
    this.#connection = connection;
    this.#group = group;
    this.#station = station;
    this.#batch = batchSize;
    this.#looked = group.refresh(connection, untilMs - Date.now());
    // its durable may be made in the same flight, in front of this: it is asked for before anything waits
    const lane = group.own(partition, untilMs - Date.now());
    const request = {
      ...group.placeOf(partition),
      batch: batchSize,
      waitMs: 0,
      mayHang: group.isShared,
      hangMs: SHARED_HANG_MS,
      silenceMs: Math.max(LEAST_LATE_MS, Math.min(NO_WAIT_LIMIT_MS, (settleByMs - Date.now()) / 2)),
    };
    const pull = startPull(connection, request, (frame) => this.#frames.push(frame));
    this.#endLimit = endInTime(connection, untilMs, settleByMs); // behind what may throw
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
    const end = await this.#ended;
    const lane = await this.#lane;
    if (this.#isTaken || lane === undefined || !lanes.includes(lane)) return undefined;
    const deliveries = this.#take(lane);
    const pending = isOrdered(lane) ? 0 : (deliveries.at(-1)?.position.pending ?? 0);
    return { lane, deliveries, pending, isComplete: end === 'done' };
  }

  /**
   * What came, where it is as much as was wanted: nobody else has to be asked then. Never rejects.
   *
   * @param partitions those that may be read
   */
  async takeFull(partitions: readonly number[]): Promise<Gathered | undefined> {
    await this.#ended;
    const lane = await this.#lane;
    const isFull = this.#frames.length >= this.#batch;
    if (!isFull || lane === undefined || !partitions.includes(lane.partition)) return undefined;
    const lanes = [lane];
    await this.#group.met(this.#connection, lanes);
    return { deliveries: this.#take(lane), lanes };
  }

  #take(lane: Lane): Delivery[] {
    this.#isTaken = true;
    return this.#frames.splice(0).map((frame) => toDelivery(frame, this.#station, lane));
  }

  /** The lane that something came from and was not taken yet. Never rejects. */
  async laneInHand(): Promise<Lane | undefined> {
    await this.#ended;
    return this.#frames.length > 0 ? await this.#lane : undefined;
  }

  /**
   * Ends it. Never rejects.
   *
   * @returns whether it was in vain: what it brings was not asked for, as by who may not look at the lane
   */
  async end(): Promise<boolean> {
    await this.#ended;
    await this.#stopped;
    await this.#looked;
    this.#endLimit();
    return !this.#isTaken;
  }

  /** Whether something came that nobody took. */
  get isLeft(): boolean {
    return this.#frames.length > 0 && !this.#connection.isClosed;
  }

  /** What nobody took is delivered again at once. @returns those whose last delivery this may be: they were not given back yet */
  async giveBack(maxDeliveries: number): Promise<Delivery[]> {
    const lane = await this.#lane;
    const last: Delivery[] = [];
    for (const frame of this.#frames.splice(0)) {
      const delivery = lane && toDelivery(frame, this.#station, lane);
      try {
        if (delivery !== undefined && delivery.laneDeliveries >= maxDeliveries) last.push(delivery);
        else this.#connection.publish(frame.reply, ackPayload.nak(0));
      } catch {
        // the session ends: it comes back when its time to settle is over, and what the pull has come to must not be lost for it
      }
    }
    return last;
  }
}

/** Begins it for a group of which nothing is known yet. Never rejects: trouble is met again by the pull itself. */
export async function flyFirst(
  link: Link,
  group: Group,
  request: FirstRequest,
  limitMs: number,
): Promise<FirstFlight | undefined> {
  const untilMs = Date.now() + limitMs;
  try {
    return new FirstFlight(await link.ready(untilMs), group, request, untilMs);
  } catch {
    return undefined;
  }
}
