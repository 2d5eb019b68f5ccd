/** What should become of a message, and what a handler's return or throw means for it. Pure. */

import { describeError, hasKey } from './errors.ts';

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

/** What becomes of a message where the broker does as it is told. */
export const settledAs = { ack: 'acked', retry: 'retried', deadLetter: 'deadLettered', giveBack: 'givenBack' } as const;

/** Reasons travel in headers, answers and lines of a log: thousands of them must fit. */
const MAX_REASON_CHARACTERS = 500;

function short(reason: string): string {
  return reason.length > MAX_REASON_CHARACTERS ? `${reason.slice(0, MAX_REASON_CHARACTERS)}...` : reason;
}

/** A reason as text, whatever somebody handed in for one. Never throws. */
export function toReason(given: unknown): string {
  if (typeof given === 'string' && given !== '') return short(given);
  if (given === undefined || given === null || given === '') return 'no reason given';
  return typeof given === 'object' || typeof given === 'function' ? describeError(given) : String(given);
}

function isDelay(delayMs: unknown): delayMs is number {
  return typeof delayMs === 'number' && Number.isFinite(delayMs) && delayMs >= 0;
}

/** @returns the delay, checked. @throws RangeError with the rest of a sentence */
export function checkDelay(delayMs: unknown): number {
  if (isDelay(delayMs)) return delayMs;
  const found = typeof delayMs === 'number' ? String(delayMs) : typeof delayMs;
  throw new RangeError(`delayMs must be a number of milliseconds from 0 up, not ${found}`);
}

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
    const { delayMs, reason, cause } = options ?? {};
    super(reason === undefined ? 'retry later' : toReason(reason), cause === undefined ? undefined : { cause });
    this.name = 'RetryLater';
    this.delayMs = checkDelay(delayMs);
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

  /** @param options the reason alone will do, as other errors take their message */
  constructor(options: string | { readonly reason: string; readonly cause?: unknown }) {
    const { reason, cause } = typeof options === 'string' ? { reason: options, cause: undefined } : (options ?? {});
    super(toReason(reason), cause === undefined ? undefined : { cause });
    this.name = 'DeadLetter';
    this.reason = this.message;
    Object.defineProperty(this, deadLetterBrand, { value: true });
  }
}

function has(error: unknown, brand: symbol): boolean {
  return typeof error === 'object' && error !== null && hasKey(error, brand);
}

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
  // one of another copy of this package may hold anything
  if (has(error, deadLetterBrand)) return { action: 'deadLetter', reason: toReason((error as DeadLetter).reason) };
  if (!has(error, retryBrand)) return { action: 'retry', delayMs, reason: short(describeError(error)) };
  const { delayMs: exact, message } = error as RetryLater;
  return { action: 'retry', delayMs: isDelay(exact) ? exact : delayMs, reason: toReason(message) };
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
