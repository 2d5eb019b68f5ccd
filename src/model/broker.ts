/** The driver ports: what a broker must be able to do for the data side, and for administration. */

import type { Batch } from './batch.ts';
import type { DeadLetterStore } from './dead-letter.ts';
import type { Headers } from './message.ts';
import type { Receipt } from './receipt.ts';
import type { StationSchema } from './schema.ts';
import type { SchemaStore } from './schema-store.ts';
import type { Source, StartPosition } from './source.ts';
import type { StationSettings } from './station.ts';
import type { StationDescription, StationListing } from './station-description.ts';

/** Names of the drivers. */
export type BrokerKind = 'jetstream' | 'memphis';

/** One message on its way to a station. */
export interface OutgoingMessage {
  readonly station: string;
  readonly partition: number;
  /** A guess (`Broker.mayGuess`): where the station has no partition of this number, any will do. */
  readonly isGuess?: boolean;
  readonly data: Uint8Array;
  readonly headers: Headers;
  /** The user's message id; without one the driver makes its own, so that its own repeats are never stored twice. */
  readonly msgId?: string | undefined;
  /** Travels with the message, so that consumers can keep order per key. */
  readonly partitionKey?: string | undefined;
  readonly producerName: string;
}

/** How one message is stored. */
export interface PublishOptions {
  readonly timeoutMs: number;
  /** Called when the message was written for the first time. Whether it is stored is not known then. */
  readonly onWritten?: (() => void) | undefined;
}

/** Which messages a reader gets and what they are worth. Resolved and checked. */
export interface ReaderOptions extends Source {
  /** Time to settle before the broker delivers again. */
  readonly ackWaitMs: number;
  /** How often a handler may see a message. */
  readonly maxDeliveries: number;
  /** Left out: from the first message on, or where the group stands. */
  readonly start?: StartPosition;
  /** Each partition hands out its next message when the one before is settled; also across redeliveries. */
  readonly ordered?: boolean;
}

/** One request for messages. */
export interface PullOptions {
  /** At most so many messages, over all partitions together. */
  readonly batchSize: number;
  /** How long to wait for the first message; 0 takes what is there. */
  readonly waitMs: number;
  /** How long trouble of the broker (an election, a restart) is ridden out before the pull fails; default 20 s. */
  readonly patienceMs?: number;
  /** Wall-clock time (`Date.now()`) at which settling gives up, so that a function does not end by its timeout; default: 20 s each. */
  readonly settleByMs?: number;
  /** Only this partition; else all of them at the same time. */
  readonly partition?: number;
  /** Ends the wait; what arrived by then is returned, nothing stays open. */
  readonly signal?: AbortSignal;
}

/** A group's access to a station. Making one does no I/O. */
export interface Reader {
  /**
   * One batch, empty when the wait is over. Nothing stays open behind it: no pull, no subscription, no timer.
   * Messages whose deliveries ran out unseen go to the dead letters and are not among those returned.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `GROUP_CONFLICT`, `CONNECTION_LOST`, `TIMEOUT`, `PERMISSION_DENIED`
   */
  pull(options: PullOptions): Promise<Batch>;
}

/** A driver connected to its broker, and what consuming and producing have in common. */
export interface Broker {
  readonly kind: BrokerKind;
  /**
   * Partition numbers of a station, ascending.
   *
   * @param options.patienceMs how long trouble of the broker is ridden out; default 20 s
   * @throws MemphisError `STATION_NOT_FOUND`
   */
  partitions(station: string, options?: { readonly patienceMs?: number }): Promise<readonly number[]>;
  /** Waits for what the broker was told beside the work, before the connection ends. Never rejects. */
  close?(): Promise<void>;
  /**
   * The schema that a station has: its active version, the same object as long as it is the same; nothing where it has
   * none. Left out by drivers that know no schemas.
   *
   * @param options.isFresh asks the broker in any case
   * @param options.patienceMs how long trouble of the broker is ridden out where it has to be asked first
   */
  schemaOf?(
    station: string,
    options?: { readonly isFresh?: boolean; readonly patienceMs?: number },
  ): Promise<StationSchema | undefined>;
}

/** The consuming side of a driver; functions that only produce hold nothing of it. */
export interface Readers {
  /** The same reader for the same options. @throws MemphisError `UNSUPPORTED` for what this broker never does */
  reader(options: ReaderOptions): Reader;
}

/** The producing side of a driver; functions that only consume hold nothing of it. */
export interface Publisher {
  /**
   * Partition numbers of a station where they are known by now, as is that it has no schema: a message for it can leave at once.
   * What is known and old is looked at beside the use.
   */
  plainPartitions(station: string): readonly number[] | undefined;
  /** Whether its partitions would have to be asked for, so that a message that may go to any of them had better leave on a guess. */
  mayGuess(station: string): boolean;
  /**
   * Stores one message; repeated under the same message id until the broker answers or time is up.
   *
   * @throws MemphisError `INVALID_MESSAGE`, `STATION_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `STORAGE_FULL`, `TIMEOUT`,
   * `CONNECTION_LOST`
   */
  publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt>;
  /**
   * What tells of a message, before anything is sent, whether it can be: returns its size on the wire in bytes.
   *
   * @throws MemphisError what connecting throws; the function: `INVALID_MESSAGE`, `PAYLOAD_TOO_LARGE`
   */
  checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number>;
  /** Takes a producer out of the broker's lists, where it has any. Never rejects. */
  endProducer?(station: string, producerName: string): Promise<void>;
  /** Deletes a message that was stored before its station's schema was known. */
  takeBack?(receipt: Receipt, options: PublishOptions): Promise<void>;
  /**
   * Stores a message that broke the schema in the station's dead letters, where the station says so. For brokers of tests:
   * what the drivers do then comes with the codecs (`src/schemas/set-aside.ts`).
   */
  setAside?(message: OutgoingMessage, reason: string, options: PublishOptions): Promise<void>;
}

/** A driver in one piece, as tests hand one in. */
export interface WholeBroker extends Broker, Readers, Publisher {}

/** The administration side of a driver, kept out of functions. */
export interface BrokerAdmin {
  /** Its schemas; left out by drivers that know none. */
  readonly schemas?: SchemaStore;
  /** No-op when the station exists. @returns whether it was made now */
  createStation(name: string, settings: StationSettings): Promise<boolean>;
  /** Removes the station with its dead letters. @throws MemphisError `STATION_NOT_FOUND` */
  destroyStation(name: string): Promise<void>;
  /** Deletes a group: its position is gone, messages stay. @param options those of its reader */
  destroyGroup(options: ReaderOptions): Promise<void>;
  /** @throws MemphisError `STATION_NOT_FOUND` */
  describeStation(name: string): Promise<StationDescription>;
  /** All stations of this broker, those of others too, by name. */
  listStations(): Promise<readonly StationListing[]>;
  /**
   * No I/O.
   *
   * @param station its name; of a binding the stream's
   * @param isBound it is a stream of others, not a station
   */
  deadLetterStore(station: string, isBound: boolean): DeadLetterStore;
}
