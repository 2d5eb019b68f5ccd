/** A station as the client hands it out: a name to work with, no I/O of its own. */

import type { Consumer, ConsumerOptions } from './consumer.ts';
import type { Producer, ProducerOptions } from './producer.ts';

/** What a station needs of its client. */
export interface StationOwner {
  createProducer(station: string, options?: ProducerOptions): Promise<Producer>;
  createConsumer(station: string, options?: ConsumerOptions): Promise<Consumer>;
  destroyStation(station: string): Promise<void>;
}

export class Station {
  readonly name: string;
  readonly #owner: StationOwner;

  constructor(owner: StationOwner, name: string) {
    this.#owner = owner;
    this.name = name;
  }

  createProducer(options?: ProducerOptions): Promise<Producer> {
    return this.#owner.createProducer(this.name, options);
  }

  createConsumer(options?: ConsumerOptions): Promise<Consumer> {
    return this.#owner.createConsumer(this.name, options);
  }

  /** Deletes the station on the broker, with its messages, groups and dead letters. @throws MemphisError `STATION_NOT_FOUND` */
  destroy(): Promise<void> {
    return this.#owner.destroyStation(this.name);
  }
}
