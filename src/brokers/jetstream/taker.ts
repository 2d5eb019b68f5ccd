/** Takes messages from lanes: what is there, or the first that comes. Lanes take turns, and never send more than is wanted. */

import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { type ErrorCode, MemphisError } from '../../model/errors.ts';
import { allot, allotByPending } from './allot.ts';
import { LOOK_EVERY_MS, LOOK_SHARED_EVERY_MS, losesToDeadPulls, pause } from './dead-pulls.ts';
import type { FirstCatch } from './first-flight.ts';
import type { Group } from './groups.ts';
import { type Delivery, isLimited, type Lane } from './lane.ts';
import { byProspect } from './prospects.ts';
import { askAll, pendingOf, type Round } from './round.ts';
import type { Stations } from './stations.ts';

/** Whom to ask next: those that are known to hold more, else those that were not asked yet. */
function nextShares(left: number, pending: readonly number[], asked: Set<number>): readonly number[] {
  if (pending.some((count) => count > 0)) {
    asked.clear();
    return allotByPending(left, pending);
  }
  const unasked = [...pending.keys()].filter((index) => !asked.has(index));
  if (unasked.length === 0) return [];
  const spread = allot(left, unasked.length, 0);
  return pending.map((_, index) => spread[unasked.indexOf(index)] ?? 0);
}

export class Taker {
  readonly #group: Group;
  readonly #stations: Stations;
  readonly #options: ReaderOptions;
  /** Lanes take turns in being asked first. */
  #turn = 0;

  constructor(group: Group, stations: Stations, options: ReaderOptions) {
    this.#group = group;
    this.#stations = stations;
    this.#options = options;
  }

  /**
   * Takes what lanes hold. With something in hand, trouble is left for the next pull to meet.
   *
   * @param limitMs how long the broker may take over each round; a second at most
   */
  async whatIsThere(
    connection: Connection,
    all: readonly Lane[],
    wanted: number,
    limitMs: number,
    first?: FirstCatch,
  ): Promise<readonly Delivery[]> {
    const turn = this.#turn++;
    let taken: readonly Delivery[] = first?.deliveries ?? [];
    const isInTurn = wanted < all.length && all.some(isLimited);
    const lanes = isInTurn ? await byProspect(connection, all, turn, limitMs) : all;
    const asked = new Set<number>(first?.isComplete === true ? [lanes.indexOf(first.lane)] : []);
    let shares =
      asked.size > 0
        ? nextShares(
            wanted - taken.length,
            lanes.map((lane) => (lane === first?.lane ? first.pending : 0)),
            asked,
          )
        : allot(wanted - taken.length, lanes.length, isInTurn ? 0 : turn % lanes.length);
    while (shares.some((share) => share > 0)) {
      let round: Round;
      try {
        round = await askAll(connection, this.#options.station, lanes, shares, 0, limitMs);
      } catch (error) {
        if (taken.length === 0) throw error;
        break; // the session has ended: what is in hand must not be lost
      }
      taken = taken.concat(round.deliveries);
      this.#check(round, taken.length);
      // asking on without a connection would lose what is in hand
      if (taken.length >= wanted || connection.isClosed || round.ends.includes('lost')) break;
      for (const [index, share] of shares.entries()) if (share > 0) asked.add(index);
      shares = nextShares(wanted - taken.length, pendingOf(lanes, round), asked);
    }
    return taken;
  }

  /** Long polls, where they do no harm; with fewer messages wanted than there are lanes, these take turns in slices of the wait. */
  async theFirst(
    connection: Connection,
    lanes: readonly Lane[],
    wanted: number,
    waitMs: number,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<readonly Delivery[]> {
    if (losesToDeadPulls((await connection.info).version)) {
      // each request that runs out there is a moment in which a redelivery may go astray (dead-pulls.ts)
      const everyMs = this.#group.isShared ? LOOK_SHARED_EVERY_MS : LOOK_EVERY_MS;
      await pause(Math.min(waitMs, everyMs), signal);
      return signal?.aborted ? [] : this.whatIsThere(connection, lanes, wanted, limitMs);
    }
    const slices = Math.ceil(lanes.length / wanted);
    const sliceMs = slices === 1 ? waitMs : Math.max(20, Math.min(waitMs, 500 / slices));
    const shares = allot(wanted, lanes.length, this.#turn);
    this.#turn += wanted;
    const round = await askAll(connection, this.#options.station, lanes, shares, Math.ceil(sliceMs), limitMs, signal);
    this.#check(round, round.deliveries.length);
    return round.deliveries;
  }

  /** With nothing in hand, trouble of a partition is the pull's trouble; with something in hand, the next pull's. */
  #check(round: Round, inHand: number): void {
    const { station, group } = this.#options;
    const refuse = (code: ErrorCode, why: string): never => {
      throw new MemphisError(code, `Could not pull from station ${station}: ${why}.`, { station, group });
    };
    for (const end of round.ends) {
      const isUnheard = end === 'missing' || end === 'silent';
      if (isUnheard) {
        this.#group.forget();
        this.#stations.forget(station); // made anew, it may have other partitions
      }
      if (inHand > 0 || end === 'done' || end === 'moved') continue;
      if (isUnheard) refuse('TIMEOUT', 'no answer');
      if (end === 'lost') refuse('CONNECTION_LOST', 'the connection has ended');
      if (end !== 'denied') refuse('BROKER_REFUSED', end);
      refuse('PERMISSION_DENIED', 'this user lacks the permission. Allow it $JS.API.CONSUMER.MSG.NEXT.> and _INBOX.>');
    }
  }
}
