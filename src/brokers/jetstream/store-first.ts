/** What has to be stored before anything is said to the source of a message: dead letters, parked copies, notes. */

import { isMemphisError } from '../../model/errors.ts';
import { withinDeliveries } from '../../model/outcome.ts';
import { emit, emitRetry } from '../../telemetry/channels.ts';
import { creditKeyOf, creditOf, UNKNOWN_CREDIT, writeCredit } from './credits.ts';
import type { Delivery } from './lane.ts';
import { ownId } from './own-id.ts';
import { shouldPark } from './parking.ts';
import { type Decided, type SettleContext, timeLeftMs, unconfirmed } from './settling.ts';

/** A year: as long as a delayed NAK. */
const MAX_PARKED_MS = 365 * 86_400_000;
/** How long it is asked once more how many deliveries of a message do not count. */
const ASK_AGAIN_MS = 2_000;

/** Whether a durable of others has used up its limit of deliveries with this one. */
function isLastOf({ lane, laneDeliveries }: Delivery): boolean {
  return lane.maxDeliver > 0 && laneDeliveries >= lane.maxDeliver;
}

/** A parked copy that the server could not hold back is given back before its time as a matter of course. */
function mayRunOut({ deliveryCount, lane }: Delivery, maxDeliveries: number): boolean {
  return deliveryCount >= maxDeliveries || lane.isRetry;
}

/**
 * Whether a message that was given back behind one that comes back later waits like that one. A copy stays what it is: one that
 * the server could not hold back would be met at once, and be stored again and again.
 */
function waitsParked({ lane }: Delivery, delayMs = 0, heldMs = 0): boolean {
  return !lane.isRetry && shouldPark(lane, delayMs, heldMs);
}

/** Whether nothing has to be stored before this is said to the source. */
export function needsNothingStored(delivery: Decided, maxDeliveries: number): boolean {
  return delivery.decision.outcome.action === 'ack' || comesBackAsItIs(delivery, maxDeliveries);
}

function comesBackAsItIs(delivery: Decided, maxDeliveries: number): boolean {
  const { outcome } = delivery.decision;
  if (outcome.action === 'giveBack') {
    const isPlain = !isLastOf(delivery) && !mayRunOut(delivery, maxDeliveries);
    return isPlain && !waitsParked(delivery, outcome.delayMs);
  }
  const { action } = withinDeliveries(outcome, delivery.deliveryCount, maxDeliveries);
  return outcome.action === 'retry' && action === 'retry' && !shouldPark(delivery.lane, outcome.delayMs);
}

/**
 * Applies the limit of deliveries, stores what has to be stored, and notes what is to be said.
 *
 * @param heldMs how long ago the time to settle began
 * @returns whether all of it is stored
 */
export async function storeFirst(context: SettleContext, delivery: Decided, heldMs: number): Promise<boolean> {
  const { decision, lane } = delivery;
  let isParked = false;
  if (delivery.credit === UNKNOWN_CREDIT) {
    try {
      const limitMs = Math.min(ASK_AGAIN_MS, timeLeftMs(context));
      delivery.credit = await creditOf(context.link, delivery, limitMs);
    } catch (error) {
      // noted by guess, it might run out with deliveries left: it comes back by itself
      decision.told[1](unconfirmed(context, 1, error));
      return false;
    }
  }
  const { deliveryCount } = delivery; // not before its credit is known
  let outcome = withinDeliveries(decision.outcome, deliveryCount, context.maxDeliveries);
  if (outcome.action === 'giveBack') {
    // the broker would not deliver it again
    const isLast = isLastOf(delivery);
    if (isLast || waitsParked(delivery, outcome.delayMs, heldMs)) {
      isParked = await park(context, delivery, outcome.delayMs ?? 0, deliveryCount - 1);
    }
    if (isLast && !isParked) {
      const reason = 'given back on the last delivery that its group allows';
      outcome = { action: 'deadLetter', reason };
    } else if (!isParked) await keepFromRunningOut(context, delivery);
  }
  if (outcome.action === 'retry' && shouldPark(lane, outcome.delayMs, heldMs)) {
    isParked = await park(context, delivery, outcome.delayMs, deliveryCount);
  }
  try {
    if (outcome.action === 'deadLetter') await setAside(context, delivery, outcome.reason);
  } catch (error) {
    if (!lane.isShared || !isMemphisError(error, 'PERMISSION_DENIED')) {
      decision.told[1](unconfirmed(context, 1, error));
      return false;
    }
    // who may not say so can use the deliveries up: the broker sets it aside then, without a reason (memphis-wire 11.5)
    outcome = { action: 'retry', delayMs: 0 };
  }
  delivery.decision = { ...decision, outcome, isParked }; // others may share what was decided before
  return true;
}

async function setAside(context: SettleContext, delivery: Delivery, reason: string): Promise<void> {
  const { station, group } = context;
  const { id, deliveryCount } = delivery;
  if (context.keepDeadLetters)
    await context.setAside({ ...context, leftMs: () => timeLeftMs(context) }, delivery, reason);
  emit('memphis-serverless:dead-letter', () => ({ station, group, id, deliveryCount }));
}

/** No handler saw this delivery, so it must not be the message's last (the delivery budget). */
async function keepFromRunningOut(context: SettleContext, delivery: Delivery): Promise<void> {
  if (!mayRunOut(delivery, context.maxDeliveries)) return;
  // not noted, and handed to another process: the message ends as a dead letter, whole, instead of with a handler
  await writeCredit(context.link, creditKeyOf(delivery), delivery.credit + 1, timeLeftMs(context));
}

/** @returns whether a copy is stored; where it cannot be, the delay is kept as a delayed NAK, which loses nothing either */
async function park(
  context: SettleContext,
  { id, sequence, timestamp, data, lane, allHeaders }: Delivery,
  delayMs: number,
  deliveries: number,
): Promise<boolean> {
  const { retries, station, group, durable } = context;
  try {
    await retries.store(
      {
        station,
        durable,
        partition: lane.partition,
        // of a copy not the stream that it came on
        stream: id.slice(0, id.lastIndexOf(':')),
        sequence,
        storedAt: timestamp,
        headers: allHeaders,
        data,
        deliveries,
        ackWaitMs: lane.ackWaitMs,
        // its own: only repeats of this very store may meet. A message that was put back, or whose group was
        // destroyed, counts its deliveries anew, and would meet what was parked of it before
        copyId: ownId(),
        untilMs: Date.now() + Math.min(delayMs, MAX_PARKED_MS),
      },
      timeLeftMs(context),
    );
    emit('memphis-serverless:park', () => ({ station, group, id, delayMs }));
    return true;
  } catch (error) {
    emitRetry('park', 1, error);
    return false;
  }
}
