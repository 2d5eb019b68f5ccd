/**
 * Copies that come back through the station's retry stream: messages parked for a long delay, and dead letters put back
 * for one group. A delayed NAK would hold the delivery, and a place among those that may be out, for all of the delay.
 * A copy holds neither, blocks nothing, and is stored. Reasons and layout: docs/decisions/012.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderList } from '../../connection/port.ts';
import { leftUntil, within } from '../../connection/within.ts';
import { isMemphisError } from '../../model/errors.ts';
import { retryHeader } from './delivery.ts';
import { OURS } from './group-rules.ts';
import { keepHeaders, underId } from './kept-headers.ts';
import { type Lane, toLane } from './lane.ts';
import { repeat } from './repeat.ts';
import { isBefore } from './server-version.ts';
import { retryStreamOf } from './stations.ts';
import { store } from './store.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { createDurable, type Durable, durableInfo, durableNames, updateDurable } from './wire/consumers.ts';
import type { PubAck } from './wire/publish.ts';
import { hasSchedules, retryStreamConfig, scheduleHeaders } from './wire/retry-stream.ts';
import { createStream, streamConfig, unlessThere, updateStream } from './wire/streams.ts';

/** So long what is known of a station's retry durables is taken for true; another process may make the first one. */
const KNOWN_FOR_MS = 2_000;
/** Who may not look is told so again after this; a Memphis broker takes 300 ms to say it. */
const DENIED_FOR_MS = 600_000;
/** How long a look may take: the pull that it goes along with waits for it. */
const LOOK_LIMIT_MS = 1_000;

/** Description of a durable on a stream that keeps what is settled. */
const OURS_KEEPING = `${OURS} keeps what is settled`;

/** A message to be delivered again to one group of its station. */
export interface RetryCopy {
  readonly station: string;
  /** The group's durable name. */
  readonly durable: string;
  readonly partition: number;
  /** Where the message itself is stored, or was. */
  readonly stream: string;
  readonly sequence: number;
  readonly storedAt: Date;
  /** All of its headers. */
  readonly headers: HeaderList;
  readonly data: Uint8Array;
  /** Deliveries that handlers have seen and that count. */
  readonly deliveries: number;
  /** Time to settle of a durable that has to be made. */
  readonly ackWaitMs: number;
  /** Copies of one id are stored once in two minutes. */
  readonly copyId: string;
  /** Not before this wall-clock time; left out: at once. */
  readonly untilMs?: number;
}

function dueSubject(stream: string, durable: string, partition: number): string {
  return `${stream}.due.${durable}.${partition}`;
}

/** Headers of a copy, as they are stored. */
export function retryHeaders(copy: RetryCopy): HeaderList {
  return underId(copy.copyId, [
    ...keepHeaders(copy.headers),
    [retryHeader.stream, copy.stream],
    [retryHeader.sequence, String(copy.sequence)],
    [retryHeader.storedAt, copy.storedAt.toISOString()],
    [retryHeader.deliveries, String(copy.deliveries)],
    ...(copy.untilMs === undefined ? [] : [[retryHeader.until, new Date(copy.untilMs).toISOString()] as const]),
  ]);
}

interface Known {
  readonly atMs: number;
  readonly names: ReadonlySet<string>;
}

/** What a session knows of retry streams. */
export class Retries {
  readonly #link: Link;
  readonly #known = new Map<string, Known>();
  readonly #looking = new Map<string, Promise<void>>();
  /** Durables that were there when last looked at, and whether their stream can wait by itself. */
  readonly #ready = new Map<string, { readonly atMs: number; readonly isScheduled: boolean }>();

  constructor(link: Link) {
    this.#link = link;
  }

  /** Whether it is time to look again for durables that others have made. */
  isStale(station: string): boolean {
    return Date.now() - (this.#known.get(station)?.atMs ?? 0) > KNOWN_FOR_MS;
  }

  /** Looks which durables there are. Never rejects: without an answer it stays with what it knew. */
  look(connection: Connection, station: string, limitMs: number): Promise<void> {
    let looking = this.#looking.get(station);
    if (looking === undefined) {
      looking = this.#look(connection, station).finally(() => this.#looking.delete(station));
      this.#looking.set(station, looking);
    }
    return limitMs < LOOK_LIMIT_MS ? within(looking, limitMs) : looking;
  }

  /** What is known of a station's durables: another object whenever that may be something else. */
  known(station: string): object | undefined {
    return this.#known.get(station);
  }

  /** Partitions for which a group has a retry durable, as far as is known. */
  partitions(station: string, durable: string): readonly number[] {
    return partitionsOf([...(this.#known.get(station)?.names ?? [])], durable);
  }

  /**
   * The lane of a group's copies; makes its durable, and the stream, where they are missing.
   *
   * @param change whether a durable that is there gets this time to settle; its readers say, not whoever stores
   */
  async lane(
    connection: Connection,
    at: Pick<RetryCopy, 'station' | 'durable' | 'partition' | 'stream' | 'ackWaitMs'>,
    limitMs: number,
    change = true,
  ): Promise<Lane> {
    const stream = retryStreamOf(at.station);
    const name = `${at.durable}$${at.partition}`;
    const untilMs = Date.now() + limitMs;
    const make = async (): Promise<Durable> => {
      const { retention } = await streamConfig(connection, stream, leftUntil(untilMs));
      return createDurable(
        connection,
        stream,
        {
          name,
          description: retention === 'workqueue' ? OURS : OURS_KEEPING,
          ackWaitMs: at.ackWaitMs,
          filterSubject: dueSubject(stream, at.durable, at.partition),
          from: { deliver_policy: 'all' },
          maxAckPending: -1,
        },
        leftUntil(untilMs),
      );
    };
    let found: Durable;
    try {
      found = await durableInfo(connection, stream, name, limitMs);
      if (change && found.ackWaitMs !== at.ackWaitMs) {
        const settings = { ackWaitMs: at.ackWaitMs, maxAckPending: -1 };
        found = await updateDurable(connection, stream, found, settings, leftUntil(untilMs));
      }
    } catch (error) {
      const number = refusalOf(error);
      if (number !== apiError.CONSUMER_NOT_FOUND && number !== apiError.STREAM_NOT_FOUND) throw error;
      if (number === apiError.STREAM_NOT_FOUND)
        await makeRetryStream(connection, stream, at.stream, leftUntil(untilMs));
      found = await make();
    }
    this.#note(at.station, name);
    const keepsSettled = found.description === OURS_KEEPING;
    return toLane({ stream, durable: name, partition: at.partition, isRetry: true, keepsSettled }, found);
  }

  /**
   * Stores a copy; resolves when the broker has confirmed it. Its group will be delivered it, by whoever reads.
   *
   * @throws MemphisError when it is not stored; the source must not be settled then
   */
  async store(copy: RetryCopy, timeoutMs: number): Promise<PubAck> {
    const deadlineMs = Date.now() + timeoutMs;
    const stream = retryStreamOf(copy.station);
    const due = dueSubject(stream, copy.durable, copy.partition);
    const isScheduled = await this.#prepare(copy, due, timeoutMs);
    const { untilMs } = copy;
    const waits = isScheduled && untilMs !== undefined;
    // one subject a message: parked again, the later time replaces the earlier one
    const subject = waits ? `${stream}.later.${copy.durable}.${copy.partition}.${copy.sequence}` : due;
    const headers = waits ? [...retryHeaders(copy), ...scheduleHeaders(untilMs, due)] : retryHeaders(copy);
    const options = {
      timeoutMs: leftUntil(deadlineMs),
      onMissing: async (connection: Connection, limitMs: number) => {
        await this.lane(connection, copy, limitMs, false);
      },
    };
    try {
      return await store(this.#link, subject, { data: copy.data, headers }, options);
    } catch (error) {
      this.#ready.delete(due); // whatever was wrong: look again next time
      throw error;
    }
  }

  /** A group of this station is no more. */
  forget(station: string): void {
    this.#known.delete(station);
    this.#ready.clear();
  }

  /**
   * The durable comes before the copy, which nobody would look for without it. What was seen is not believed for long:
   * the group may have been destroyed elsewhere since.
   *
   * @returns whether the stream can wait by itself
   */
  async #prepare(copy: RetryCopy, due: string, timeoutMs: number): Promise<boolean> {
    const known = this.#ready.get(due);
    if (known !== undefined && Date.now() - known.atMs <= KNOWN_FOR_MS) return known.isScheduled;
    const isScheduled = await repeat(this.#link, 'prepare retry', timeoutMs, async (connection, limitMs) => {
      const untilMs = Date.now() + limitMs;
      const { stream } = await this.lane(connection, copy, limitMs, false);
      return await ensureSchedules(connection, stream, leftUntil(untilMs));
    });
    this.#ready.set(due, { atMs: Date.now(), isScheduled });
    return isScheduled;
  }

  #note(station: string, name: string): void {
    const known = this.#known.get(station);
    const names = new Set(known?.names ?? []);
    names.add(name);
    this.#known.set(station, { atMs: known?.atMs ?? 0, names });
  }

  async #look(connection: Connection, station: string): Promise<void> {
    try {
      const names = await durableNames(connection, retryStreamOf(station), LOOK_LIMIT_MS);
      this.#known.set(station, { atMs: Date.now(), names: new Set(names) });
    } catch (error) {
      if (isMemphisError(error, 'PERMISSION_DENIED'))
        this.#known.set(station, { atMs: Date.now() + DENIED_FOR_MS, names: new Set() });
    }
  }
}

/** Partitions of a group's durables among some names. */
export function partitionsOf(names: readonly string[], durable: string): number[] {
  const prefix = `${durable}$`;
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}

/** On the same kind of storage as the stream whose messages it takes. */
async function makeRetryStream(connection: Connection, stream: string, source: string, limitMs: number): Promise<void> {
  const { apiLevel, version } = await connection.info;
  const isWorkQueueSafe = !isBefore(version, 2, 10);
  const untilMs = Date.now() + limitMs;
  const like = await streamConfig(connection, source, limitMs);
  const config = retryStreamConfig(stream, like, { apiLevel, isWorkQueueSafe });
  await createStream(connection, config, leftUntil(untilMs)).catch(unlessThere);
}

/** Whether the stream can wait by itself; one made before the server could is brought up to it. */
async function ensureSchedules(connection: Connection, stream: string, limitMs: number): Promise<boolean> {
  if (!hasSchedules((await connection.info).apiLevel)) return false;
  const untilMs = Date.now() + limitMs;
  const config = await streamConfig(connection, stream, limitMs);
  if (config.allow_msg_schedules === true) return true;
  await updateStream(connection, { ...config, allow_msg_schedules: true }, leftUntil(untilMs));
  return (await streamConfig(connection, stream, leftUntil(untilMs))).allow_msg_schedules === true;
}
