/** Drafts as messages: to which partition of which station, and written as its schema has it. */

import { publisherOf } from '../brokers/publisher.ts';
import type { Broker, OutgoingMessage } from '../model/broker.ts';
import type { Headers } from '../model/message.ts';
import { choosePartition } from '../model/partition.ts';
import type { Encode, SchemaReader } from '../model/schema-reader.ts';
import { registry } from '../schemas/registry.ts';
import { encoderFor } from './by-schema.ts';
import type { Draft } from './draft.ts';

const NO_HEADERS: Headers = {};

export class Addressing {
  readonly #stations: readonly string[];
  readonly #producerName: string;
  readonly #schema: SchemaReader | undefined;
  readonly #turns = new Map<string, number>();

  constructor(stations: readonly string[], producerName: string, schema: SchemaReader | undefined) {
    this.#stations = stations;
    this.#producerName = producerName;
    this.#schema = schema;
  }

  /** A message to one station that is known, and known to take anything. */
  plain(broker: Broker, draft: Draft): OutgoingMessage | undefined {
    const [station = ''] = this.#stations;
    const isPlain = this.#stations.length === 1 && this.#schema === undefined;
    if (!isPlain || draft.data === undefined) return undefined;
    const partitions = publisherOf(broker).plainPartitions(station);
    return partitions && this.#addressed(station, partitions, draft, draft.data);
  }

  /**
   * A first message leaves beside the look-up of its station. Not where the number of partitions decides on its own: a
   * repeat under its id or key must meet it; nor where nobody waits for the broker's word, which tells a guess that fails.
   */
  guess(broker: Broker, draft: Draft): OutgoingMessage | undefined {
    const [station = '', ...more] = this.#stations;
    const isFree = draft.msgId === undefined && draft.partitionKey === undefined && draft.partition === undefined;
    if (!isFree || more.length > 0 || !publisherOf(broker).mayGuess(station)) return undefined;
    // who has codecs means stations with schemas: those are to be known before anything leaves
    if (this.#schema !== undefined || registry.readers.length > 0 || draft.data === undefined) return undefined;
    this.#nextOf(station, [1]); // it takes the first partition's turn
    return { ...this.#addressed(station, [1], draft, draft.data), isGuess: true };
  }

  /** What all stations get, once they are looked up. @throws MemphisError as `compose`, `STATION_NOT_FOUND` */
  async lookAndCompose(broker: Broker, draft: Draft, timeoutMs: number): Promise<OutgoingMessage[]> {
    const layout = await this.layout(broker, timeoutMs);
    const letters = await this.compose(layout, draft, await this.encoders(broker, timeoutMs), timeoutMs);
    if (letters.length > 1) letters.forEach(await publisherOf(broker).checker({ timeoutMs }));
    return letters;
  }

  /** The partitions of each station. @throws MemphisError `STATION_NOT_FOUND` */
  async layout(broker: Broker, patienceMs?: number): Promise<ReadonlyMap<string, readonly number[]>> {
    const layout = new Map<string, readonly number[]>();
    const options = patienceMs === undefined ? {} : { patienceMs };
    for (const station of this.#stations) layout.set(station, await broker.partitions(station, options));
    return layout;
  }

  /** How messages are written for those of the stations that have a schema. @throws MemphisError where it cannot be used */
  async encoders(broker: Broker, patienceMs?: number): Promise<ReadonlyMap<string, Encode>> {
    publisherOf(broker); // who produces asks for schemas, without a codec too
    const encoders = new Map<string, Encode>();
    for (const station of this.#stations) {
      const encode = await encoderFor(broker, station, this.#schema, patienceMs);
      if (encode !== undefined) encoders.set(station, encode);
    }
    return encoders;
  }

  /** A draft as a message for each station, as its schema has it. @throws MemphisError as `address`, `SCHEMA_VIOLATION` */
  async compose(
    layout: ReadonlyMap<string, readonly number[]>,
    draft: Draft,
    encoders: ReadonlyMap<string, Encode>,
    timeoutMs: number,
  ): Promise<OutgoingMessage[]> {
    if (encoders.size === 0) return this.address(layout, draft);
    const { data = new Uint8Array(), unwritable, message } = draft;
    const letters: OutgoingMessage[] = [];
    for (const letter of this.address(layout, { ...draft, data })) {
      const encode = encoders.get(letter.station);
      if (encode === undefined && unwritable !== undefined) throw unwritable;
      letters.push(encode === undefined ? letter : { ...letter, data: await encode(letter, message, timeoutMs) });
    }
    return letters;
  }

  /** A draft as a message for each station. @throws MemphisError `PARTITION_NOT_FOUND`, `INVALID_OPTION`, `INVALID_MESSAGE` */
  address(layout: ReadonlyMap<string, readonly number[]>, draft: Draft): OutgoingMessage[] {
    const { data } = draft;
    if (data === undefined) throw draft.unwritable;
    return [...layout].map(([station, partitions]) => this.#addressed(station, partitions, draft, data));
  }

  #addressed(station: string, partitions: readonly number[], draft: Draft, data: Uint8Array): OutgoingMessage {
    const { headers = NO_HEADERS, msgId, partitionKey } = draft;
    const partition = choosePartition(station, partitions, draft) ?? this.#nextOf(station, partitions);
    return { station, partition, data, headers, msgId, partitionKey, producerName: this.#producerName };
  }

  #nextOf(station: string, partitions: readonly number[]): number {
    const turn = this.#turns.get(station) ?? 0;
    this.#turns.set(station, turn + 1);
    return partitions[turn % partitions.length] ?? 1;
  }
}
