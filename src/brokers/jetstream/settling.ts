/** What the steps of settling share: whose messages they are, and what was decided about each. */

import { MemphisError } from '../../model/errors.ts';
import type { Decision, Delivery } from './lane.ts';
import type { DeadLetterContext } from './linked-station.ts';
import { PATIENCE_MS } from './repeat.ts';
import type { Retries } from './retries.ts';

/** Stores a dead letter; resolves when that is confirmed. */
export type SetAside = (context: DeadLetterContext, delivery: Delivery, reason: string) => Promise<void>;

/** Whose messages are settled. */
export interface SettleContext extends Omit<DeadLetterContext, 'leftMs'> {
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

/** A delivery that was decided about; what was decided is on its way. */
export type Decided = Delivery & { decision: Decision };

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
