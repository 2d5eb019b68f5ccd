/**
 * Putting dead letters back. Each copy is stored and confirmed, then the dead letter goes. A copy that the broker takes
 * for one that it has already is none: that dead letter stays. Reasons: docs/decisions/008.
 */

import type { Link } from '../../connection/link.ts';
import { REFUSED, type RedriveResult, type RedriveTarget } from '../../model/dead-letter.ts';
import { MemphisError } from '../../model/errors.ts';
import { toInternalName } from '../../model/station.ts';
import { mapAtOnce } from './at-once.ts';
import { originalHeaders, toDeadLetter } from './dead-letter-record.ts';
import { refuseWithoutRoom } from './message-size.ts';
import { refuseMissing } from './missing-stream.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import type { Retries } from './retries.ts';
import { deadLetterStreamOf, retryStreamOf, type Stations, streamOf } from './stations.ts';
import { store } from './store.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { durableInfo } from './wire/consumers.ts';
import type { PubAck } from './wire/publish.ts';
import type { StreamMessage } from './wire/read.ts';
import { deleteMessage } from './wire/streams.ts';

/** Copies that are stored at the same time. */
const AT_ONCE = 16;
/** Time to settle where a group's durable has to be made; its reader brings it to its own. */
const ACK_WAIT_MS = 30_000;

/** What concerns one dead letter alone; after other failures the next ones would fail as well. */
const CONCERNS_ONE = ['PAYLOAD_TOO_LARGE', 'PARTITION_NOT_FOUND', 'INVALID_MESSAGE'] as const;

/** What a driver has that dead letters are put back with. */
export interface BrokerParts {
  readonly link: Link;
  readonly stations: Stations;
  readonly retries: Retries;
}

/** Why what a producer was refused is not put back. */
export function neverStored(station: string, id: number): MemphisError {
  return new MemphisError(
    'INVALID_MESSAGE',
    `Dead letter ${id} of station ${station} was refused and never stored: produce it again, as the schema wants it.`,
    { station },
  );
}

/** One run of putting back. */
export class Redrive {
  readonly #broker: BrokerParts;
  readonly #station: string;
  readonly #isBound: boolean;
  readonly #target: RedriveTarget;
  /** Times to settle by durable and partition. */
  readonly #ackWaits = new Map<string, Promise<number>>();
  #ended: unknown;

  constructor(broker: BrokerParts, station: string, isBound: boolean, target: RedriveTarget) {
    this.#broker = broker;
    this.#station = station;
    this.#isBound = isBound;
    this.#target = target;
  }

  /** Something failed that would fail for the next ones too. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** What is said of one that was not tried any more. */
  untried(id: number): RedriveResult {
    return { id, outcome: 'failed', error: this.#ended };
  }

  /** Puts some back; what is no message passes through. Never rejects. */
  putBack(found: readonly (StreamMessage | RedriveResult)[]): Promise<readonly RedriveResult[]> {
    return mapAtOnce(found, (one) => ('outcome' in one ? Promise.resolve(one) : this.#putOneBack(one)), AT_ONCE);
  }

  async #putOneBack(letter: StreamMessage): Promise<RedriveResult> {
    const id = letter.sequence;
    try {
      const { duplicate } = await (this.#target === 'group' ? this.#forGroup(letter) : this.#intoStation(letter));
      if (duplicate) return { id, outcome: 'duplicate' };
      await this.#remove(id);
      return { id, outcome: 'redriven' };
    } catch (error) {
      const code = error instanceof MemphisError ? error.code : undefined;
      if (!CONCERNS_ONE.some((one) => one === code)) this.#ended ??= error;
      return { id, outcome: 'failed', error };
    }
  }

  /** The same dead letter is put back in one way once, as long as the broker remembers. */
  #copyId({ sequence, timestamp }: StreamMessage): string {
    return `${deadLetterStreamOf(this.#station)}:${sequence}:${timestamp.getTime()}:${this.#target}`;
  }

  async #forGroup(letter: StreamMessage): Promise<PubAck> {
    const { group, partition, sequence, timestamp, data } = await this.#origin(letter);
    const durable = toInternalName(group);
    return await this.#broker.retries.store(
      {
        station: this.#station,
        durable,
        partition,
        stream: streamOf(this.#station, partition),
        sequence,
        storedAt: timestamp,
        headers: originalHeaders(letter.headers),
        data,
        deliveries: 0,
        ackWaitMs: await this.#ackWait(durable, partition),
        copyId: this.#copyId(letter),
      },
      PATIENCE_MS,
    );
  }

  async #intoStation(letter: StreamMessage): Promise<PubAck> {
    const { link, stations } = this.#broker;
    const { partition, data } = await this.#origin(letter);
    const stream = streamOf(this.#station, partition);
    const headers = [['Nats-Msg-Id', this.#copyId(letter)] as const, ...originalHeaders(letter.headers)];
    // confirmed and dropped at once, it would be gone from here as well
    refuseWithoutRoom(await stations.find(this.#station), this.#station, `${stream}.final`, headers, data);
    return await store(
      link,
      `${stream}.final`,
      { data, headers },
      {
        timeoutMs: PATIENCE_MS,
        onMissing: (connection, limitMs) => refuseMissing(connection, this.#station, stream, limitMs, stations),
      },
    );
  }

  /** @throws MemphisError `INVALID_MESSAGE` for one of unknown origin, `PARTITION_NOT_FOUND` */
  async #origin(letter: StreamMessage): Promise<ReturnType<typeof toDeadLetter>> {
    const record = toDeadLetter(this.#station, letter);
    if (record.sequence === 0) {
      if (record.group === REFUSED) throw neverStored(this.#station, record.id);
      throw new MemphisError(
        'INVALID_MESSAGE',
        `Dead letter ${record.id} of station ${this.#station} does not say where it is from: others put it there.`,
        { station: this.#station },
      );
    }
    const { partitions } = this.#isBound ? { partitions: [0] } : await this.#broker.stations.find(this.#station);
    if (!partitions.includes(record.partition)) {
      throw new MemphisError(
        'PARTITION_NOT_FOUND',
        `Dead letter ${record.id} is of partition ${record.partition}, which station ${this.#station} has no more.`,
        { station: this.#station },
      );
    }
    return record;
  }

  /** That of the group's own durables, so that putting back changes nothing for its readers. */
  #ackWait(durable: string, partition: number): Promise<number> {
    const key = `${durable} ${partition}`;
    let known = this.#ackWaits.get(key);
    if (known === undefined) {
      known = this.#lookUpAckWait(durable, partition);
      this.#ackWaits.set(key, known);
    }
    return known;
  }

  async #lookUpAckWait(durable: string, partition: number): Promise<number> {
    const places = [
      [retryStreamOf(this.#station), `${durable}$${partition}`],
      [streamOf(this.#station, partition), durable],
    ] as const;
    return await repeat(this.#broker.link, 'look up group', PATIENCE_MS, async (connection, limitMs) => {
      for (const [stream, name] of places) {
        try {
          const { ackWaitMs } = await durableInfo(connection, stream, name, limitMs);
          if (ackWaitMs > 0) return ackWaitMs;
        } catch (error) {
          const number = refusalOf(error);
          if (number !== apiError.CONSUMER_NOT_FOUND && number !== apiError.STREAM_NOT_FOUND) throw error;
        }
      }
      return ACK_WAIT_MS;
    });
  }

  async #remove(id: number): Promise<void> {
    const stream = deadLetterStreamOf(this.#station);
    await repeat(this.#broker.link, 'drop dead letter', PATIENCE_MS, async (connection, limitMs) => {
      await deleteMessage(connection, stream, id, limitMs);
    });
  }
}
