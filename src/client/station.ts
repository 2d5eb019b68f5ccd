/** A station as the client hands it out: a name to work with, no I/O of its own. */

import type { StationDescription } from '../model/station-description.ts';
import type { Consumer, ConsumerOptions } from './consumer.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Producer, ProducerOptions } from './producer.ts';

/** What a station needs of its client. */
export interface StationOwner {
  createProducer(station: string, options?: ProducerOptions): Promise<Producer>;
  createConsumer<Value = unknown>(station: string, options?: ConsumerOptions): Promise<Consumer<Value>>;
  describeStation(station: string): Promise<StationDescription>;
  deadLetters(station: string): DeadLetters;
  destroyStation(station: string): Promise<void>;
  attachSchema(schema: string, station: string): Promise<void>;
  detachSchema(station: string): Promise<void>;
}

/** A station by name: what can be done with it. */
export class Station {
  /** In lower case. */
  readonly name: string;
  readonly #owner: StationOwner;

  /** @internal Use `memphis.station` or `memphis.createStation`. */
  constructor(owner: StationOwner, name: string) {
    this.#owner = owner;
    this.name = name;
  }

  /** A producer for this station. @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION` */
  createProducer(options?: ProducerOptions): Promise<Producer> {
    return this.#owner.createProducer(this.name, options);
  }

  /**
   * A consumer of a group of this station. The group's position is made on first use.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`
   */
  createConsumer<Value = unknown>(options?: ConsumerOptions): Promise<Consumer<Value>> {
    return this.#owner.createConsumer<Value>(this.name, options);
  }

  /** Settings in force, what its partitions hold, where its groups stand. @throws MemphisError `STATION_NOT_FOUND` */
  describe(): Promise<StationDescription> {
    return this.#owner.describeStation(this.name);
  }

  /** Its dead letters: to list, read, drop and put back. No I/O. */
  deadLetters(): DeadLetters {
    return this.#owner.deadLetters(this.name);
  }

  /** From now on what is produced has to satisfy the schema. @throws MemphisError `SCHEMA_NOT_FOUND`, `STATION_NOT_FOUND` */
  attachSchema(schema: string): Promise<void> {
    return this.#owner.attachSchema(schema, this.name);
  }

  /** It takes everything again. @throws MemphisError `STATION_NOT_FOUND` */
  detachSchema(): Promise<void> {
    return this.#owner.detachSchema(this.name);
  }

  /** Deletes the station on the broker, with its messages, groups and dead letters. @throws MemphisError `STATION_NOT_FOUND` */
  destroy(): Promise<void> {
    return this.#owner.destroyStation(this.name);
  }
}
