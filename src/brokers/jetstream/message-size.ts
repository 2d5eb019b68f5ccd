/** What a message may weigh: on the wire, and in a station that keeps only so many bytes. */

import type { HeaderLines, HeaderList } from '../../connection/port.ts';
import { MemphisError } from '../../model/errors.ts';
import type { StationView } from './stations.ts';
import { frameSize, storedSize } from './wire/publish.ts';

/** Kept free in each message, so that its dead letter fits under the same limit with its own headers. */
export const DEAD_LETTER_ROOM_BYTES = 1_024;

/** JetStream stores no longer block of headers. */
export const MAX_HEADER_BYTES = 65_535;

/** What a message takes of `max_payload`. @throws MemphisError `PAYLOAD_TOO_LARGE` */
export function sizeWithin(maxPayload: number, station: string, headers: HeaderLines, data: Uint8Array): number {
  const size = frameSize(headers, data);
  const headerBytes = size - data.length;
  if (headerBytes + DEAD_LETTER_ROOM_BYTES > MAX_HEADER_BYTES) {
    throw new MemphisError(
      'PAYLOAD_TOO_LARGE',
      `Headers of ${headerBytes} bytes are too large: JetStream takes ${MAX_HEADER_BYTES} bytes, of which ` +
        `${DEAD_LETTER_ROOM_BYTES} are kept for a dead letter's. Put large values into the message.`,
      { station },
    );
  }
  const taken = size + DEAD_LETTER_ROOM_BYTES;
  if (taken <= maxPayload) return size;
  throw new MemphisError(
    'PAYLOAD_TOO_LARGE',
    `A message of ${data.length} bytes is too large: the broker takes ${maxPayload} bytes, of which headers and room ` +
      `for a dead letter's take ${taken - data.length}. Store it elsewhere and send a reference, or raise max_payload.`,
    { station },
  );
}

/**
 * Refuses what a stream would confirm and then drop at once: it makes room for a message by dropping the oldest ones, and
 * this one too when it is larger than all that is kept.
 *
 * @throws MemphisError `PAYLOAD_TOO_LARGE`
 */
export function refuseWithoutRoom(
  { room }: Pick<StationView, 'room'>,
  station: string,
  subject: string,
  headers: HeaderList | HeaderLines,
  data: Uint8Array,
): void {
  if (room === undefined) return;
  const bytes = storedSize(subject, headers, data, room);
  if (bytes <= room.maxBytes) return;
  throw new MemphisError(
    'PAYLOAD_TOO_LARGE',
    `Station ${station} keeps ${room.maxBytes} bytes a partition; this message alone takes ${bytes} there, and would be ` +
      'dropped as soon as it is stored. Store it elsewhere and send a reference, or make a station that keeps more.',
    { station },
  );
}
