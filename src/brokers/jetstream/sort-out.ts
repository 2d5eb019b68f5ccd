/**
 * What a pull brought beside messages for the handler: copies before their time, messages that somebody else has settled,
 * that lie before the group's begin, or whose deliveries ran out unseen.
 */

import type { Link } from '../../connection/link.ts';
import { isMemphisError } from '../../model/errors.ts';
import type { Outcome } from '../../model/outcome.ts';
import { creditOf, UNKNOWN_CREDIT } from './credits.ts';
import { become } from './delivery.ts';
import { type Delivery, isBeforeBegin, mayHaveCredit } from './lane.ts';
import type { Settler } from './settle.ts';

/**
 * Settles what no handler gets, as far as the broker confirms it.
 *
 * @param limitMs how long it may be looked whether that is so
 * @returns the rest
 */
export async function sortOut(
  link: Link,
  settler: Settler,
  pulled: readonly Delivery[],
  maxDeliveries: number,
  limitMs: number,
): Promise<readonly Delivery[]> {
  await Promise.all(pulled.map((delivery) => lookForCredit(link, delivery, maxDeliveries, limitMs)));
  // not known counts as no: twice is better than never, and the others must not be lost for it
  const isOver = await Promise.all(
    pulled.map((delivery) => delivery.lane.rules?.isOver(delivery, limitMs).catch(() => false) ?? false),
  );
  const now = Date.now();
  const reason = `no deliveries left (${maxDeliveries}), and the last one ended without an answer`;
  const fresh: Delivery[] = [];
  const settling: Promise<void>[] = [];
  for (const [index, delivery] of pulled.entries()) {
    const { lane, sequence, deliveryCount, untilMs = 0 } = delivery;
    if (isOver[index] === true || isBeforeBegin(lane, sequence)) {
      settling.push(settleUnseen(settler, delivery, { action: 'ack' }));
    } else if (untilMs > now) {
      settling.push(settleUnseen(settler, delivery, { action: 'giveBack', delayMs: untilMs - now }));
    } else if (delivery.credit === UNKNOWN_CREDIT) {
      settling.push(settleUnseen(settler, delivery, { action: 'giveBack' }));
    } else if (deliveryCount > maxDeliveries) {
      // one delivery more than asked for: its message ran out without a word of a handler (a killed process)
      const before = become(delivery, { deliveryCount: deliveryCount - 1 }); // this one no handler is given
      settling.push(settleUnseen(settler, before, { action: 'deadLetter', reason }));
    } else fresh.push(delivery);
  }
  await Promise.all(settling);
  return fresh;
}

/** Gives back what may be on its last delivery, which counts as one that no handler saw. Parameters as above. */
export async function giveBack(...[link, settler, pulled, maxDeliveries, limitMs]: Parameters<typeof sortOut>) {
  const give = async (delivery: Delivery): Promise<void> => {
    await lookForCredit(link, delivery, maxDeliveries, limitMs);
    await settleUnseen(settler, delivery, { action: 'giveBack' });
  };
  await Promise.all(pulled.map(give));
}

/** Asked only where deliveries may not count. */
async function lookForCredit(link: Link, delivery: Delivery, maxDeliveries: number, limitMs: number): Promise<void> {
  const { laneDeliveries, untilMs = 0 } = delivery;
  // before its time no handler has seen it: none of its deliveries counts, whoever they went to
  if (untilMs > Date.now()) delivery.credit = laneDeliveries - 1;
  else if (mayHaveCredit(delivery, maxDeliveries)) {
    // without an answer it has not run out as far as anybody knows
    delivery.credit = await creditOf(link, delivery, limitMs).catch(() => UNKNOWN_CREDIT);
  }
}

async function settleUnseen(settler: Settler, delivery: Delivery, outcome: Outcome): Promise<void> {
  settler.add([delivery]);
  try {
    await settler.settle(delivery, outcome);
  } catch (error) {
    // not stored, so not terminated: it comes back and is tried again
    if (!isMemphisError(error, 'SETTLE_UNCONFIRMED')) throw error;
  }
}
