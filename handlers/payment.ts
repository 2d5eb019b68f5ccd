/** Stands in for a payment provider: its test tokens decide how a charge ends, as such providers offer them. */
import { record } from './journal.ts';
import type { Order } from './order.ts';

export type ChargeAnswer =
  | { readonly status: 'charged' }
  | { readonly status: 'busy'; readonly retryAfterMs: number }
  | { readonly status: 'stolen' };

/** Charges an order. @throws Error when the provider does not answer */
export async function charge(
  order: Order,
  options: { readonly idempotencyKey: string; readonly attempt: number },
): Promise<ChargeAnswer> {
  const { idempotencyKey: id, attempt } = options;
  const failed = (how: string): void => record({ work: 'charge', id, attempt, how });

  if (order.card === 'tok_busy_twice' && attempt <= 2) {
    failed('busy');
    return { status: 'busy', retryAfterMs: 250 };
  }
  if (order.card === 'tok_stolen') {
    failed('stolen');
    return { status: 'stolen' };
  }
  if (order.card === 'tok_no_answer' || (order.card === 'tok_no_answer_once' && attempt === 1)) {
    failed('no answer');
    throw new Error('the payment provider did not answer');
  }
  record({ work: 'charge', id, attempt, how: 'done' });
  return { status: 'charged' };
}
