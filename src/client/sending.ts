/** Messages on their way, and what it means when some of them do not arrive. */

import type { OutgoingMessage } from '../model/broker.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { Receipt } from '../model/receipt.ts';

/** One message on its way to one station. */
export interface Sending {
  readonly letter: OutgoingMessage;
  /** May reject unheard. */
  readonly stored: Promise<Receipt>;
}

/** Receipts of all. @throws MemphisError the error of the only one, else `NOT_ALL_STORED`, when all have ended */
export async function all(sendings: readonly Sending[]): Promise<readonly Receipt[]> {
  const [only, ...more] = sendings;
  if (only !== undefined && more.length === 0) return [await only.stored];
  const ends = await Promise.allSettled(sendings.map(({ stored }) => stored));
  const receipts = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  if (receipts.length === ends.length) return receipts;
  const failures = ends.flatMap((end, index) => {
    const station = sendings[index]?.letter.station ?? '';
    return end.status === 'rejected' ? [{ station, error: toMemphisError(end.reason, station) }] : [];
  });
  const list = (stations: readonly string[]): string => (stations.length === 0 ? 'no station' : stations.join(', '));
  throw new MemphisError(
    'NOT_ALL_STORED',
    `The message is stored in ${list(receipts.map(({ station }) => station))}, and not known to be in ` +
      `${list(failures.map(({ station }) => station))}: ${failures[0]?.error.message ?? ''} ` +
      'Produce it again under the same message id to store what is missing.',
    {
      receipts,
      failures,
      cause: failures[0]?.error,
      retryable: failures.every(({ error }) => error.retryable),
    },
  );
}

/** Drivers throw our errors; anything else is a fault of theirs, and must not be taken for one of the caller's. */
export function toMemphisError(error: unknown, station: string): MemphisError {
  if (isMemphisError(error)) return error;
  return new MemphisError('BROKER_REFUSED', `Could not produce: ${describeError(error)}`, { station, cause: error });
}
