/** Storing what is ours, on subjects of our own: dead letters, parked copies, records, notes. */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderList } from '../../connection/port.ts';
import { leftUntil } from '../../connection/within.ts';
import { MemphisError } from '../../model/errors.ts';
import { repeat } from './repeat.ts';
import { type PubAck, parsePubAck } from './wire/publish.ts';

/**
 * Stores a message on a subject of our own, under an id of our own. A try is several steps at times, which share its time.
 *
 * @param onMissing makes the stream when nobody stores what is published there
 */
export async function store(
  link: Link,
  subject: string,
  message: { readonly data: Uint8Array; readonly headers: HeaderList },
  options: {
    readonly timeoutMs: number;
    readonly onMissing: (connection: Connection, limitMs: number) => Promise<void>;
  },
): Promise<PubAck> {
  return repeat(link, 'store', options.timeoutMs, async (connection, limitMs) => {
    const untilMs = Date.now() + limitMs;
    const send = async (): Promise<PubAck | undefined> => {
      const { data, headers } = message;
      const frame = await connection.request(subject, data, { timeoutMs: leftUntil(untilMs), headers });
      const answer = parsePubAck(subject, frame);
      return answer === 'nobody' ? undefined : answer;
    };
    const stored = await send();
    if (stored !== undefined) return stored;
    await options.onMissing(connection, leftUntil(untilMs));
    const again = await send();
    if (again !== undefined) return again;
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Nobody stores ${subject} now. Try again.`);
  });
}
