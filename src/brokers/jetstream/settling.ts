/** What the steps of settling share: whose messages they are, and what was decided about each. */

import { MemphisError } from '../../model/errors.ts';
import type { Outcome, Settled } from '../../model/outcome.ts';
import type { Delivery } from './lane.ts';
import type { DeadLetterContext } from './linked-station.ts';
import { PATIENCE_MS } from './repeat.ts';
import type { Retries } from './retries.ts';

/** Stores a dead letter; resolves when that is confirmed. */
export type SetAside = (context: DeadLetterContext, delivery: Delivery, reason: string) => Promise<void>;

/** Whose messages are settled. */
export interface SettleContext extends Omit<DeadLetterContext, 'timeoutMs'> {
  /** Wall-clock time at which settling gives up; `Infinity`: after {@link PATIENCE_MS}. */
  readonly settleByMs: number;
  readonly retries: Retries;
  readonly setAside: SetAside;
  readonly station: string;
  /** The group's durable name. */
  readonly durable: string;
  readonly maxDeliveries: number;
  /** Off: what would be a dead letter is dropped, as the station's owner wants it. */
  readonly keepDeadLetters: boolean;
}

/** A decision that is on its way. */
export interface Entry {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** A copy waits for its time in the retry stream, so this delivery is done. */
  readonly isParked?: boolean;
  resolve(settled: Settled): void;
  reject(error: unknown): void;
}

/** How long settling may still take. */
export function timeLeftMs({ settleByMs }: SettleContext): number {
  return Math.max(1, Math.min(PATIENCE_MS, settleByMs - Date.now()));
}

export function unconfirmed({ station, group }: SettleContext, count: number, cause: unknown): MemphisError {
  return new MemphisError(
    'SETTLE_UNCONFIRMED',
    `The broker did not confirm what was settled of ${count} messages of station ${station}, group ${group}. ` +
      'They may be delivered again.',
    { cause, station, group },
  );
}
