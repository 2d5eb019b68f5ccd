/** Bills orders, one by one. The poller pushes them; invoked with `{}` or on a schedule, it fetches a batch by itself. */
import { DeadLetter, each, RetryLater, withMemphis } from 'memphis-serverless/lambda';
import type { Order } from './order.ts';
import { charge } from './payment.ts';

export const handler = withMemphis(
  each<Order>(async (order, { message }) => {
    // May run twice for one order, as everything that is delivered at least once: the key makes the charge happen once.
    const answer = await charge(order, { idempotencyKey: order.id, attempt: message.deliveryCount });

    if (answer.status === 'busy') throw new RetryLater({ delayMs: answer.retryAfterMs, reason: 'the bank is busy' });
    if (answer.status === 'stolen') throw new DeadLetter({ reason: 'the card was reported stolen' });
    // Returning is the ack; any other error comes back with a growing delay until the deliveries are used up.
  }),
  { station: 'orders', group: 'billing' },
);
