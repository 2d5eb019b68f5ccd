/** Storing messages: confirmed, repeated under the same message id, each stored once. */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderList } from '../../connection/port.ts';
import type { OutgoingMessage, PublishOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import { fromUserHeaders } from './headers.ts';
import { ownId } from './own-id.ts';
import { healsByItself, infoOf, repeat } from './repeat.ts';
import { isStreamMissing, type Stations, type StationView, stationNotFound, streamOf } from './stations.ts';
import { frameSize, type PubAck, parsePubAck, storedSize } from './wire/publish.ts';
import { streamConfig } from './wire/streams.ts';

/** Kept free in each message, so that its dead letter fits under the same limit with its own headers. */
export const DEAD_LETTER_ROOM_BYTES = 1_024;

function toHeaders(message: OutgoingMessage): HeaderList {
  const { msgId, producerName, partitionKey } = message;
  return [
    // first: server 2.9 looks for the name's letters only once, and would stop at a user's header that mentions it
    ['Nats-Msg-Id', msgId?.trim() ?? ownId()] as const,
    ...fromUserHeaders(message.headers),
    ['$memphis_producedBy', producerName] as const,
    ...(partitionKey === undefined
      ? []
      : [['$memphis_partitionKey', encodeURIComponent(partitionKey.toWellFormed())] as const]),
    // the header of Memphis beside the one of NATS, so that stations can move between brokers
    ...(msgId === undefined ? [] : fromUserHeaders({ 'msg-id': msgId })),
  ];
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
 * bytes than that in all would drop what it holds for it, unasked, so this is small (docs/decisions/011).
 */
const MAX_EARLY_BYTES = 1_024;

/** A message on its way, under one id. */
interface Way {
  readonly message: OutgoingMessage;
  readonly headers: HeaderList;
  readonly startedAt: number;
  /** Whether a try was made of which nothing is known. */
  readonly wasTried?: boolean;
  /** Called before each try. */
  readonly onWritten: () => void;
}

/** Publishes one message to its station; see `Broker.publish`. */
export async function publish(
  link: Link,
  stations: Stations,
  message: OutgoingMessage,
  { timeoutMs, onWritten }: PublishOptions,
  headers: HeaderList = toHeaders(message),
): Promise<Receipt> {
  const way: Way = { message, headers, startedAt: Date.now(), onWritten: once(onWritten) };
  const { station } = message;
  const isEarly = message.isGuess === true && frameSize(way.headers, message.data) <= MAX_EARLY_BYTES;
  const viewing = stations.view(station, isEarly ? timeoutMs : undefined);
  const early = isEarly ? await publishEarly(link, viewing, way, timeoutMs) : 'nobody';
  if (typeof early === 'object') {
    return { station, partition: message.partition, sequence: early.sequence, duplicate: false };
  }
  const view = await viewing;
  const [first = 1] = view.partitions;
  const partition =
    message.isGuess === true && !view.partitions.includes(message.partition) ? first : message.partition;
  if (!view.partitions.includes(partition)) {
    throw new MemphisError('PARTITION_NOT_FOUND', `Station ${station} has no partition ${partition}.`, { station });
  }
  const leftMs = Math.max(1, way.startedAt + timeoutMs - Date.now());
  return publishTo(
    link,
    stations,
    view,
    { ...way, message: { ...message, partition }, wasTried: early === 'unknown' },
    leftMs,
  );
}

/** One try beside the look-up of the station. */
async function publishEarly(
  link: Link,
  viewing: Promise<StationView>,
  { message, headers, onWritten }: Way,
  timeoutMs: number,
): Promise<PubAck | 'nobody' | 'unknown'> {
  const { station, partition, data } = message;
  const subject = `${streamOf(station, partition)}.final`;
  const looked = viewing.catch(() => {}); // its error counts where the station turns out to be needed
  const send = async (connection: Connection, limitMs: number): Promise<PubAck | 'nobody'> => {
    const info = await Promise.race([connection.info, undefined]); // not waited for: the server may not have spoken yet
    if (info !== undefined) sizeWithin(info.maxPayload, station, headers, data);
    const answered = connection.request(subject, data, { timeoutMs: limitMs, headers });
    onWritten();
    return parsePubAck(subject, await answered);
  };
  try {
    return await repeat(link, 'publish', timeoutMs, send, AbortSignal.abort());
  } catch (error) {
    if (healsByItself(error)) return 'unknown';
    throw error;
  } finally {
    await looked; // nothing is under way when the call returns
  }
}

async function publishTo(
  link: Link,
  stations: Stations,
  view: StationView,
  { message, headers, startedAt, wasTried, onWritten }: Way,
  timeoutMs: number,
): Promise<Receipt> {
  const { station, partition, data } = message;
  const stream = streamOf(station, partition);
  const subject = `${stream}.final`;
  refuseWithoutRoom(view, station, subject, headers, data);
  const ack = await repeat(link, 'publish', timeoutMs, async (connection, limitMs, attempt) => {
    // past the window the broker has forgotten the id, and a repeat could store a second copy
    if ((attempt > 1 || wasTried === true) && Date.now() - startedAt > view.idempotencyWindowMs * 0.9) {
      throw new MemphisError(
        'TIMEOUT',
        `No confirmation from station ${station} within its idempotency window of ${view.idempotencyWindowMs} ms. ` +
          'The message may be stored.',
        { station, retryable: false },
      );
    }
    const { maxPayload, isMemphis } = await connection.info;
    sizeWithin(maxPayload, station, headers, data);
    const answered = connection.request(subject, data, { timeoutMs: limitMs, headers });
    onWritten();
    const stored = parsePubAck(subject, await answered, isMemphis);
    if (stored !== 'nobody') return stored;
    await refuseMissing(connection, station, stream, limitMs, stations);
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Station ${station} has no leader at the moment. Try again.`, {
      station,
    });
  });
  return {
    station,
    partition,
    sequence: ack.sequence,
    // with an id of our own, a copy that the broker knows is our own earlier try
    duplicate: ack.duplicate && message.msgId !== undefined,
  };
}

/** A function that calls another one the first time only. */
function once(call: (() => void) | undefined): () => void {
  let isDone = false;
  return () => {
    if (!isDone) call?.();
    isDone = true;
  };
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
