/** Batch: what came together, from where, and how to settle it. The one shape behind both ways in. */

import type { StoredMessage } from './message.ts';
import type { Outcome, Settled } from './outcome.ts';
import type { StationSchema } from './schema.ts';

/** Messages that came together. What settles them belongs to where they came from. */
export interface Batch {
  readonly station: string;
  readonly group: string;
  readonly messages: readonly StoredMessage[];
  /** How often a handler may see a message before a retry becomes a dead letter. */
  readonly maxDeliveries: number;
  /** Time to settle before the broker delivers again; absent where nobody waits for us (a pushed batch). */
  readonly ackWaitMs?: number;
  /** The schema that its station has; absent where it has none, or that is not known (a pushed batch). */
  readonly schema?: StationSchema | undefined;
  /** The value of a message by a schema; nothing for one that is read as if there were none. */
  decode?(message: StoredMessage): { readonly value: unknown } | undefined;
  /**
   * Says what should become of one message and resolves when that is confirmed, with what really became of it.
   * Calls of one tick travel together. Called at most once a message.
   *
   * @throws MemphisError `SETTLE_UNCONFIRMED` when the broker did not confirm: the message may be delivered again
   */
  settle(message: StoredMessage, outcome: Outcome): Promise<Settled>;
  /**
   * The same for many, without a promise for each. One of the last two is called once for each of them, later. Absent where
   * there is nothing to gain.
   */
  readonly settleAll?:
    | ((
        messages: readonly StoredMessage[],
        outcomes: readonly Outcome[],
        onSettled: (settled: Settled) => void,
        onFailed: (error: unknown) => void,
      ) => void)
    | undefined;
  /** Starts the time to settle anew. Resolves when it is written; loss is harmless, since it is repeated. */
  extend(messages: readonly StoredMessage[]): Promise<void>;
}
