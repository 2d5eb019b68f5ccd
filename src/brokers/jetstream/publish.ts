/** Storing messages: confirmed, repeated under the same message id, each stored once. */

import type { Link } from '../../connection/link.ts';
import type { Asking, Connection, Frame, HeaderLines } from '../../connection/port.ts';
import type { OutgoingMessage, PublishOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import { userLine } from './headers.ts';
import { DEAD_LETTER_ROOM_BYTES, MAX_HEADER_BYTES, refuseWithoutRoom, sizeWithin } from './message-size.ts';
import { refuseMissing } from './missing-stream.ts';
import { ownId } from './own-id.ts';
import { afterTry, healsByItself, infoOf, isUnanswered, repeat } from './repeat.ts';
import { type Stations, type StationView, streamOf } from './stations.ts';
import { frameSize, mostFrameSize, parsePubAck } from './wire/publish.ts';

/** Header lines of a message. @throws MemphisError `INVALID_MESSAGE` */
function toLines({ msgId, producerName, partitionKey, headers }: OutgoingMessage): HeaderLines {
  // first: server 2.9 looks for the name's letters only once, and would stop at a user's header that mentions it
  let lines = `Nats-Msg-Id: ${msgId?.trim() ?? ownId()}\r\n`;
  for (const name of Object.keys(headers)) lines += userLine(name, headers[name] as string);
  lines += `$memphis_producedBy: ${producerName}\r\n`;
  if (partitionKey !== undefined) {
    lines += `$memphis_partitionKey: ${encodeURIComponent(partitionKey.toWellFormed())}\r\n`;
  }
  // the header of Memphis beside the one of NATS, so that stations can move between brokers
  return msgId === undefined ? lines : lines + userLine('msg-id', msgId);
}

/** See `Broker.checker`. The limit is that of the server at the other end now; each publish is checked anew. */
export async function checkerFor(
  link: Link,
  timeoutMs: number,
  linesOf = toLines,
): Promise<(message: OutgoingMessage) => number> {
  const { maxPayload } = await infoOf(link, timeoutMs);
  return (message) => sizeWithin(maxPayload, message.station, linesOf(message), message.data);
}

/**
 * A message of at most so many bytes on the wire may leave before its station is looked up. A station that keeps fewer
 * bytes than that in all would drop what it holds for it, unasked, so this is small (docs/decisions/011). It may also leave
 * on a session whose server has not spoken yet: none is set to take less.
 */
const MAX_EARLY_BYTES = 1_024;

const ONE_TRY = { aborted: true };

/**
 * Publishes one message to its station; see `Broker.publish`.
 *
 * @param linesOf its header lines
 */
export function publish(
  link: Link,
  stations: Stations,
  message: OutgoingMessage,
  options: PublishOptions,
  linesOf = toLines,
): Promise<Receipt> {
  try {
    return new Publishing(link, stations, message, linesOf(message), options).begin();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** A message on its way, under one id; what its requests are asked with (`Asking`), since one is made by the thousand. */
class Publishing implements Asking<Receipt> {
  readonly headers: HeaderLines;
  /** Of the try that is under way. */
  timeoutMs: number;
  readonly #link: Link;
  readonly #stations: Stations;
  readonly #message: OutgoingMessage;
  /** No less than its bytes on the wire. */
  readonly #mostBytes: number;
  readonly #limitMs: number;
  readonly #startedAt = Date.now();
  #onWritten: (() => void) | undefined;
  #partition: number;
  #subject = '';
  /** Absent as long as the station is not known. */
  #view: StationView | undefined;
  #connection: Connection | undefined;
  /** Tries that may be stored: all but those that met nobody who stores. */
  #doubtful = 0;
  /** What a try beside the look-up of the station ended with. */
  #early: unknown;

  constructor(
    link: Link,
    stations: Stations,
    message: OutgoingMessage,
    headers: HeaderLines,
    { timeoutMs, onWritten }: PublishOptions,
  ) {
    this.#link = link;
    this.#stations = stations;
    this.#message = message;
    this.headers = headers;
    this.timeoutMs = timeoutMs;
    this.#limitMs = timeoutMs;
    this.#onWritten = onWritten;
    this.#partition = message.partition;
    this.#mostBytes = mostFrameSize(headers, message.data);
  }

  /** @throws MemphisError what can be said at once */
  begin(): Promise<Receipt> {
    const view = this.#stations.known(this.#message.station);
    return view === undefined ? this.#lookAndSend() : this.#sendTo(view, this.#limitMs);
  }

  /** To a station that is looked up first, or beside a first try. */
  async #lookAndSend(): Promise<Receipt> {
    const { station, isGuess, data } = this.#message;
    const isEarly = isGuess === true && frameSize(this.headers, data) <= MAX_EARLY_BYTES;
    const viewing = this.#stations.view(station, isEarly ? this.#limitMs : undefined);
    const early = isEarly ? await this.#sendEarly(viewing) : undefined;
    if (early !== undefined) return early;
    try {
      const view = await viewing;
      return await this.#sendTo(view, Math.max(1, this.#startedAt + this.#limitMs - Date.now()));
    } catch (error) {
      throw afterTry(error, this.#early);
    }
  }

  /** One try beside the look-up of the station. Nothing: it met nobody, or nothing is known of it. */
  async #sendEarly(viewing: Promise<StationView>): Promise<Receipt | undefined> {
    const looked = viewing.catch(() => {}); // its error counts where the station turns out to be needed
    this.#subject = `${streamOf(this.#message.station, this.#partition)}.final`;
    const run = (connection: Connection, limitMs: number): Promise<Receipt> => this.#write(connection, limitMs);
    try {
      return await repeat(this.#link, 'publish', this.#limitMs, run, ONE_TRY);
    } catch (error) {
      if (!healsByItself(error)) throw error;
      this.#early = error;
      return undefined;
    } finally {
      await looked; // nothing is under way when the call returns
    }
  }

  #sendTo(view: StationView, limitMs: number): Promise<Receipt> {
    const { station, data, isGuess } = this.#message;
    this.#view = view;
    if (!view.partitions.includes(this.#partition)) {
      const words = `Station ${station} has no partition ${this.#partition}.`;
      if (isGuess !== true) throw new MemphisError('PARTITION_NOT_FOUND', words, { station });
      this.#partition = view.partitions[0] ?? 1;
    }
    this.#subject = `${streamOf(station, this.#partition)}.final`;
    refuseWithoutRoom(view, station, this.#subject, this.headers, data);
    const sent = repeat(this.#link, 'publish', limitMs, (connection, tryLimitMs) => {
      this.#refuseTooLate(view);
      const mustWait = connection.said === undefined && this.#mostBytes > MAX_EARLY_BYTES;
      if (!mustWait) return this.#write(connection, tryLimitMs);
      return connection.info.then(() => this.#write(connection, tryLimitMs));
    });
    if (view.idempotencyWindowMs > 2 * this.#limitMs) return sent;
    return sent.catch((error: unknown) => {
      if (isUnanswered(error)) this.#refuseTooLate(view); // who asked should not repeat it either
      throw error;
    });
  }

  /** Past the window the broker has forgotten the id, and a repeat could store a second copy. */
  #refuseTooLate({ idempotencyWindowMs }: StationView): void {
    if (this.#doubtful === 0 || Date.now() - this.#startedAt <= idempotencyWindowMs * 0.9) return;
    const { station } = this.#message;
    throw new MemphisError(
      'TIMEOUT',
      `No confirmation from station ${station} within its idempotency window of ${idempotencyWindowMs} ms. ` +
        'The message may be stored.',
      { station, retryable: false },
    );
  }

  /** One try. */
  #write(connection: Connection, limitMs: number): Promise<Receipt> {
    const { station, data } = this.#message;
    const maxPayload = connection.said?.maxPayload ?? MAX_EARLY_BYTES + DEAD_LETTER_ROOM_BYTES;
    if (this.#mostBytes + DEAD_LETTER_ROOM_BYTES > Math.min(maxPayload, MAX_HEADER_BYTES)) {
      sizeWithin(maxPayload, station, this.headers, data);
    }
    this.timeoutMs = limitMs;
    this.#connection = connection;
    this.#doubtful++;
    const answered = connection.request(this.#subject, data, this);
    if (this.#onWritten !== undefined) this.#tellWritten(answered, this.#onWritten);
    return answered;
  }

  /** Not of a request that failed at once, on a session that has just ended: then the next try tells. */
  #tellWritten(answered: Promise<unknown>, tell: () => void): void {
    let hasFailed = false;
    answered.catch(() => {
      hasFailed = true;
    });
    queueMicrotask(() => {
      if (hasFailed) return;
      this.#onWritten = undefined;
      tell();
    });
  }

  /** What an answer says. */
  read(frame: Frame): Receipt | Promise<Receipt> {
    const { station, msgId } = this.#message;
    const ack = parsePubAck(this.#subject, frame, this.#connection?.said?.isMemphis);
    if (ack === 'nobody') return this.#refuseNobody();
    // with an id of our own, a copy that the broker knows is our own earlier try
    const duplicate = ack.duplicate && msgId !== undefined;
    return { station, partition: this.#partition, sequence: ack.sequence, duplicate };
  }

  /** Nobody stores what is published there: the stream is missing, or has no leader. */
  async #refuseNobody(): Promise<never> {
    const { station } = this.#message;
    const connection = this.#connection;
    this.#doubtful--;
    if (this.#view !== undefined && connection !== undefined) {
      await refuseMissing(connection, station, streamOf(station, this.#partition), this.timeoutMs, this.#stations);
    }
    throw new MemphisError('JETSTREAM_UNAVAILABLE', `Station ${station} has no leader at the moment. Try again.`, {
      station,
    });
  }
}
