/** A group's durables: found, made on first use, brought to the ack wait that was asked for. */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import { toInternalName } from '../../model/station.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { isStreamMissing, type Stations, stationNotFound, streamOf } from './stations.ts';
import { apiError, refusalOf } from './wire/api.ts';
import { createDurable, type Durable, deleteDurable, durableInfo } from './wire/consumers.ts';

/** The durables of one group on one station. Remembers what it has seen; `forget` after a surprise. */
export class Group {
  readonly #link: Link;
  readonly #stations: Stations;
  readonly #options: ReaderOptions;
  readonly #known = new Map<number, Promise<Durable>>();

  constructor(link: Link, stations: Stations, options: ReaderOptions) {
    this.#link = link;
    this.#stations = stations;
    this.#options = options;
  }

  get durableName(): string {
    return toInternalName(this.#options.group);
  }

  /** @throws MemphisError `STATION_NOT_FOUND` */
  durable(partition: number): Promise<Durable> {
    let known = this.#known.get(partition);
    if (known === undefined) {
      known = repeat(this.#link, 'look up group', PATIENCE_MS, (connection, limitMs) =>
        this.#findOrMake(connection, partition, limitMs),
      );
      this.#known.set(partition, known);
      known.catch(() => this.#known.delete(partition));
    }
    return known;
  }

  forget(partition: number): void {
    this.#known.delete(partition);
  }

  /** Deletes the durables: the group's position is gone, its messages stay. */
  async destroy(partitions: readonly number[]): Promise<void> {
    await Promise.all(
      partitions.map((partition) =>
        repeat(this.#link, 'delete group', PATIENCE_MS, async (connection, limitMs) => {
          try {
            await deleteDurable(connection, this.#stream(partition), this.durableName, limitMs);
          } catch (error) {
            const number = refusalOf(error);
            // gone is what was wanted; also what a repeat after a lost answer finds
            if (number !== apiError.CONSUMER_NOT_FOUND && number !== apiError.STREAM_NOT_FOUND) throw error;
          }
        }),
      ),
    );
    this.#known.clear();
  }

  #stream(partition: number): string {
    return streamOf(this.#options.station, partition);
  }

  async #findOrMake(connection: Connection, partition: number, limitMs: number): Promise<Durable> {
    const { station, ackWaitMs } = this.#options;
    const stream = this.#stream(partition);
    const make = (): Promise<Durable> =>
      createDurable(
        connection,
        { stream, name: this.durableName, ackWaitMs, filterSubject: `${stream}.final` },
        limitMs,
      );
    try {
      const found = await durableInfo(connection, stream, this.durableName, limitMs);
      // a durable with a limit of deliveries was made by others: its settings are theirs
      return found.maxDeliver === -1 && found.ackWaitMs !== ackWaitMs ? await make() : found;
    } catch (error) {
      if (refusalOf(error) === apiError.CONSUMER_NOT_FOUND) return await make();
      if (!isStreamMissing(error)) throw error;
      this.#stations.forget(station);
      throw stationNotFound(station);
    }
  }
}
