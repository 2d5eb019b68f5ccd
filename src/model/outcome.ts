/** What should become of a message, and what a handler's return or throw means for it. Pure. */

import { describeError } from './errors.ts';

/**
 * What should become of one message.
 * `giveBack` is for a message that no user code has seen: delivered again at once (or after `delayMs`, where it
 * must not overtake a failed one of its key), its delivery not counted.
 */
export type Outcome =
  | { readonly action: 'ack' }
  | { readonly action: 'retry'; readonly delayMs: number; readonly reason?: string }
  | { readonly action: 'deadLetter'; readonly reason: string }
  | { readonly action: 'giveBack'; readonly delayMs?: number };

/** What really became of a message once the broker has confirmed it. A retry without deliveries left is a dead letter. */
export type Settled = 'acked' | 'retried' | 'deadLettered' | 'givenBack';

const retryBrand = Symbol.for('memphis-serverless.RetryLater');
const deadLetterBrand = Symbol.for('memphis-serverless.DeadLetter');

/**
 * Thrown by a handler: deliver again after exactly this time.
 *
 * @example
 * ```ts
 * throw new RetryLater({ delayMs: 60_000, reason: 'rate limit of the bank' });
 * ```
 */
export class RetryLater extends Error {
  /** Milliseconds until the next delivery, 0 and up. */
  readonly delayMs: number;

  constructor(options: { readonly delayMs: number; readonly reason?: string; readonly cause?: unknown }) {
    super(options.reason ?? 'retry later', options.cause === undefined ? undefined : { cause: options.cause });
    if (!(Number.isFinite(options.delayMs) && options.delayMs >= 0)) {
      throw new RangeError(
        `RetryLater: delayMs must be a number of milliseconds from 0 up, not ${String(options.delayMs)}`,
      );
    }
    this.name = 'RetryLater';
    this.delayMs = options.delayMs;
    Object.defineProperty(this, retryBrand, { value: true });
  }
}

/**
 * Thrown by a handler: never deliver again, set the message aside in the station's dead letters.
 *
 * @example
 * ```ts
 * throw new DeadLetter({ reason: 'unknown customer' });
 * ```
 */
export class DeadLetter extends Error {
  readonly reason: string;

  constructor(options: { readonly reason: string; readonly cause?: unknown }) {
    super(options.reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'DeadLetter';
    this.reason = options.reason;
    Object.defineProperty(this, deadLetterBrand, { value: true });
  }
}

const has = (error: unknown, brand: symbol): boolean => typeof error === 'object' && error !== null && brand in error;

/**
 * Whether an error says exactly what should become of a message. Works across copies of this package.
 */
export function isExact(error: unknown): error is RetryLater | DeadLetter {
  return has(error, retryBrand) || has(error, deadLetterBrand);
}

/**
 * The outcome that a thrown value stands for.
 *
 * @param delayMs the delay of an ordinary failure, from the delivery count (`backoff.ts`)
 */
export function outcomeOfError(error: unknown, delayMs: number): Outcome {
  if (has(error, deadLetterBrand)) return { action: 'deadLetter', reason: (error as DeadLetter).reason };
  if (has(error, retryBrand)) {
    return { action: 'retry', delayMs: (error as RetryLater).delayMs, reason: describeError(error) };
  }
  return { action: 'retry', delayMs, reason: describeError(error) };
}

/**
 * Applies the limit of deliveries: a retry on the last delivery becomes a dead letter, everything else stays.
 *
 * @param maxDeliveries how often a handler may see a message
 */
export function withinDeliveries(outcome: Outcome, deliveryCount: number, maxDeliveries: number): Outcome {
  if (outcome.action !== 'retry' || deliveryCount < maxDeliveries) return outcome;
  const why = outcome.reason === undefined ? '' : `: ${outcome.reason}`;
  return { action: 'deadLetter', reason: `no deliveries left (${deliveryCount} of ${maxDeliveries})${why}` };
}
