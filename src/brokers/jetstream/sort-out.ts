/**
 * What a pull brought beside messages for the handler: copies before their time, messages that somebody else has settled,
 * that lie before the group's begin, or whose deliveries ran out unseen.
 */

import type { Link } from '../../connection/link.ts';
import { isMemphisError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { creditKeyOf, readCredit } from './credits.ts';
import { withCredit } from './delivery.ts';
import { type Delivery, isBeforeBegin, mayHaveCredit } from './lane.ts';
import type { Settler } from './settle.ts';

/**
 * Settles what no handler gets, as far as the broker confirms it.
 *
 * @returns the rest
 */
export async function sortOut(
  link: Link,
  settler: Settler,
  pulled: readonly Delivery[],
  maxDeliveries: number,
): Promise<readonly Delivery[]> {
  const counted = await Promise.all(pulled.map((delivery) => credited(link, delivery, maxDeliveries)));
  // not known counts as no: twice is better than never, and the others must not be lost for it
  const isOver = await Promise.all(
    counted.map((delivery) => delivery.lane.rules?.isOver(delivery).catch(() => false) ?? false),
  );
  const now = Date.now();
  const reason = `no deliveries left (${maxDeliveries}), and the last one ended without an answer`;
  const fresh: Delivery[] = [];
  const settling: Promise<void>[] = [];
  for (const [index, delivery] of counted.entries()) {
    const { lane, message, untilMs = 0 } = delivery;
    if (isOver[index] === true || isBeforeBegin(lane, message.sequence)) {
      settling.push(settleUnseen(settler, delivery, { action: 'ack' }));
    } else if (untilMs > now) {
      settling.push(settleUnseen(settler, delivery, { action: 'giveBack', delayMs: untilMs - now }));
    } else if (message.deliveryCount > maxDeliveries) {
      // one delivery more than asked for: its message ran out without a word of a handler (a killed process)
      settling.push(settleUnseen(settler, withoutThisOne(delivery), { action: 'deadLetter', reason }));
    } else fresh.push(delivery);
  }
  await Promise.all(settling);
  return fresh;
}

/** Asked only where deliveries may not count. */
async function credited(link: Link, delivery: Delivery, maxDeliveries: number): Promise<Delivery> {
  const { laneDeliveries, untilMs = 0 } = delivery;
  // before its time no handler has seen it: none of its deliveries counts, whoever they went to
  if (untilMs > Date.now()) return withCredit(delivery, laneDeliveries - 1);
  if (!mayHaveCredit(delivery, maxDeliveries)) return delivery;
  // without an answer it counts as exhausted: set aside whole, which can be put back, rather than lost
  return withCredit(delivery, await readCredit(link, creditKeyOf(delivery)).catch(() => 0));
}

async function settleUnseen(settler: Settler, delivery: Delivery, outcome: Outcome): Promise<void> {
  const [message] = settler.add([delivery]);
  if (message === undefined) return;
  try {
    await settler.settle(message, outcome);
  } catch (error) {
    // not stored, so not terminated: it comes back and is tried again
    if (!isMemphisError(error, 'SETTLE_UNCONFIRMED')) throw error;
  }
}

/** What is told of a message that no handler is given: the deliveries before this one. */
const withoutThisOne = (delivery: Delivery): Delivery => {
  const { message } = delivery;
  return { ...delivery, message: { ...message, deliveryCount: message.deliveryCount - 1 } };
};
