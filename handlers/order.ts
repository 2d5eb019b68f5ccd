/** What an order looks like: checked where it comes in, relied upon where it is worked on. */
import * as v from 'valibot';

export const orderSchema = v.object({
  id: v.pipe(v.string(), v.minLength(1)),
  customer: v.pipe(v.string(), v.email()),
  amountCents: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** A token of the payment provider, never a card number. */
  card: v.pipe(v.string(), v.startsWith('tok_')),
});

export type Order = v.InferOutput<typeof orderSchema>;
