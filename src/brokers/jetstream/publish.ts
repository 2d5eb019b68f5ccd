/** Storing messages: confirmed, repeated under the same message id, each stored once. */

import type { Link } from '../../connection/link.ts';
import type { Connection, Frame, HeaderList } from '../../connection/port.ts';
import type { OutgoingMessage, PublishOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import { addUserHeader, addUserHeaders } from './headers.ts';
import { ownId } from './own-id.ts';
import { healsByItself, infoOf, repeat } from './repeat.ts';
import { isStreamMissing, type Stations, type StationView, stationNotFound, streamOf } from './stations.ts';
import { frameSize, mostFrameSize, type PubAck, parsePubAck, storedSize } from './wire/publish.ts';
import { streamConfig } from './wire/streams.ts';

/** Kept free in each message, so that its dead letter fits under the same limit with its own headers. */
export const DEAD_LETTER_ROOM_BYTES = 1_024;

function toHeaders(message: OutgoingMessage): HeaderList {
  const { msgId, producerName, partitionKey } = message;
  // first: server 2.9 looks for the name's letters only once, and would stop at a user's header that mentions it
  const headers: [name: string, value: string][] = [['Nats-Msg-Id', msgId?.trim() ?? ownId()]];
  addUserHeaders(headers, message.headers);
  headers.push(['$memphis_producedBy', producerName]);
  if (partitionKey !== undefined) {
    headers.push(['$memphis_partitionKey', encodeURIComponent(partitionKey.toWellFormed())]);
  }
  // the header of Memphis beside the one of NATS, so that stations can move between brokers
  if (msgId !== undefined) addUserHeader(headers, 'msg-id', msgId);
  return headers;
}

/** JetStream stores no longer block of headers. */
const MAX_HEADER_BYTES = 65_535;

/** What a message takes of `max_payload`. @throws MemphisError `PAYLOAD_TOO_LARGE` */
function sizeWithin(maxPayload: number, station: string, headers: HeaderList, data: Uint8Array): number {
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
  headers: HeaderList,
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

/** See `Broker.checker`. The limit is that of the server at the other end now; each publish is checked anew. */
export async function checkerFor(
  link: Link,
  timeoutMs: number,
  headersOf = toHeaders,
): Promise<(message: OutgoingMessage) => number> {
  const { maxPayload } = await infoOf(link, timeoutMs);
  return (message) => sizeWithin(maxPayload, message.station, headersOf(message), message.data);
}

/**
 * A message of at most so many bytes on the wire may leave before its station is looked up. A station that keeps fewer
 * bytes than that in all would drop what it holds for it, unasked, so this is small (docs/decisions/011). It may also leave
 * on a session whose server has not spoken yet: none is set to take less.
 */
const MAX_EARLY_BYTES = 1_024;

/** A message on its way, under one id. */
interface Way {
  readonly message: OutgoingMessage;
  readonly headers: HeaderList;
  /** No less than its bytes on the wire. */
  readonly mostBytes: number;
  readonly startedAt: number;
  /** Called when it is written for the first time. */
  onWritten: (() => void) | undefined;
  /** Whether a try was made of which nothing is known. */
  wasTried: boolean;
}

/** Publishes one message to its station; see `Broker.publish`. */
export function publish(
  link: Link,
  stations: Stations,
  message: OutgoingMessage,
  { timeoutMs, onWritten }: PublishOptions,
  headersOf = toHeaders,
): Promise<Receipt> {
  try {
    const headers = headersOf(message);
    const mostBytes = mostFrameSize(headers, message.data);
    const way: Way = { message, headers, mostBytes, startedAt: Date.now(), onWritten, wasTried: false };
    const view = stations.known(message.station);
    if (view === undefined) return publishUnknown(link, stations, way, timeoutMs);
    return publishTo(link, stations, view, way, timeoutMs);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** To a station that is looked up first, or beside a first try. */
async function publishUnknown(link: Link, stations: Stations, way: Way, timeoutMs: number): Promise<Receipt> {
  const { message, headers, startedAt } = way;
  const isEarly = message.isGuess === true && frameSize(headers, message.data) <= MAX_EARLY_BYTES;
  const viewing = stations.view(message.station, isEarly ? timeoutMs : undefined);
  const early = isEarly ? await publishEarly(link, viewing, way, timeoutMs) : undefined;
  if (early !== undefined) return early;
  return await publishTo(link, stations, await viewing, way, Math.max(1, startedAt + timeoutMs - Date.now()));
}

/** One try beside the look-up of the station. Nothing: it met nobody, or nothing is known of it. */
async function publishEarly(
  link: Link,
  viewing: Promise<StationView>,
  way: Way,
  timeoutMs: number,
): Promise<Receipt | undefined> {
  const { station, partition } = way.message;
  const looked = viewing.catch(() => {}); // its error counts where the station turns out to be needed
  const send = (connection: Connection, limitMs: number): Promise<Receipt | undefined> =>
    write(connection, `${streamOf(station, partition)}.final`, way, partition, limitMs, async () => undefined);
  try {
    return await repeat(link, 'publish', timeoutMs, send, AbortSignal.abort());
  } catch (error) {
    if (!healsByItself(error)) throw error;
    way.wasTried = true;
    return undefined;
  } finally {
    await looked; // nothing is under way when the call returns
  }
}

function publishTo(link: Link, stations: Stations, view: StationView, way: Way, timeoutMs: number): Promise<Receipt> {
  const { station, data } = way.message;
  const partition = partitionIn(view, way.message);
  const stream = streamOf(station, partition);
  const subject = `${stream}.final`;
  refuseWithoutRoom(view, station, subject, way.headers, data);
  return repeat(link, 'publish', timeoutMs, (connection, limitMs, attempt) => {
    // past the window the broker has forgotten the id, and a repeat could store a second copy
    if ((attempt > 1 || way.wasTried) && Date.now() - way.startedAt > view.idempotencyWindowMs * 0.9) {
      throw new MemphisError(
        'TIMEOUT',
        `No confirmation from station ${station} within its idempotency window of ${view.idempotencyWindowMs} ms. ` +
          'The message may be stored.',
        { station, retryable: false },
      );
    }
    const send = (): Promise<Receipt> =>
      write(connection, subject, way, partition, limitMs, async () => {
        await refuseMissing(connection, station, stream, limitMs, stations);
        throw new MemphisError('JETSTREAM_UNAVAILABLE', `Station ${station} has no leader at the moment. Try again.`, {
          station,
        });
      });
    const isWaiting = connection.said === undefined && way.mostBytes > MAX_EARLY_BYTES;
    return isWaiting ? connection.info.then(send) : send();
  });
}

/** @throws MemphisError `PARTITION_NOT_FOUND` */
function partitionIn({ partitions }: StationView, { station, partition, isGuess }: OutgoingMessage): number {
  if (partitions.includes(partition)) return partition;
  if (isGuess) return partitions[0] ?? 1;
  throw new MemphisError('PARTITION_NOT_FOUND', `Station ${station} has no partition ${partition}.`, { station });
}

/**
 * One try.
 *
 * @param onNobody told when nobody stores what is published there
 */
function write<T>(
  connection: Connection,
  subject: string,
  way: Way,
  partition: number,
  limitMs: number,
  onNobody: () => Promise<T>,
): Promise<Receipt | T> {
  const { message, headers, mostBytes } = way;
  const { station, data, msgId } = message;
  const maxPayload = connection.said?.maxPayload ?? MAX_EARLY_BYTES + DEAD_LETTER_ROOM_BYTES;
  if (mostBytes + DEAD_LETTER_ROOM_BYTES > Math.min(maxPayload, MAX_HEADER_BYTES)) {
    sizeWithin(maxPayload, station, headers, data);
  }
  const read = (frame: Frame): Receipt | Promise<T> => {
    const ack = parsePubAck(subject, frame, connection.said?.isMemphis);
    if (ack === 'nobody') return onNobody();
    // with an id of our own, a copy that the broker knows is our own earlier try
    return { station, partition, sequence: ack.sequence, duplicate: ack.duplicate && msgId !== undefined };
  };
  const answered = connection.request<Receipt | T>(subject, data, { timeoutMs: limitMs, headers, read });
  way.onWritten?.();
  way.onWritten = undefined;
  return answered;
}

/** Look-ups under way: thousands of messages may meet the same 503, and one question is enough. */
const lookups = new WeakMap<Connection, Map<string, Promise<unknown>>>();

/**
 * A 503 means a missing stream or one without a leader: the API tells which.
 *
 * @throws MemphisError `STATION_NOT_FOUND`
 */
export async function refuseMissing(
  connection: Connection,
  station: string,
  stream: string,
  limitMs: number,
  stations: Stations,
): Promise<void> {
  const open = lookups.get(connection) ?? new Map<string, Promise<unknown>>();
  lookups.set(connection, open);
  let lookup = open.get(stream);
  if (lookup === undefined) {
    lookup = streamConfig(connection, stream, limitMs).finally(() => open.delete(stream));
    open.set(stream, lookup);
  }
  try {
    await lookup;
  } catch (error) {
    if (!isStreamMissing(error)) throw error;
    stations.forget(station);
    throw stationNotFound(station);
  }
}

/**
 * Stores a message on a subject of our own, under an id of our own.
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
    const send = async (): Promise<PubAck | undefined> => {
      const frame = await connection.request(subject, message.data, { timeoutMs: limitMs, headers: message.headers });
      const answer = parsePubAck(subject, frame);
      return answer === 'nobody' ? undefined : answer;
    };
    const stored = await send();
    if (stored !== undefined) return stored;
    await options.onMissing(connection, limitMs);
    const again = await send();
    if (again !== undefined) return again;
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Nobody stores ${subject} at the moment. Try again.`);
  });
}
