/** The data side of a Memphis broker: JetStream underneath, with the broker's own names, rows and dead letters. */

import type { Link } from '../../connection/link.ts';
import type { Connection, HeaderLines } from '../../connection/port.ts';
import type { Broker, OutgoingMessage, PublishOptions, Reader, ReaderOptions } from '../../model/broker.ts';
import { MemphisError } from '../../model/errors.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { StationSchema } from '../../model/schema.ts';
import { defaultStation } from '../../model/station.ts';
import { JetStreamReader } from '../jetstream/reader.ts';
import { repeat } from '../jetstream/repeat.ts';
import { Retries } from '../jetstream/retries.ts';
import { streamOf } from '../jetstream/stations.ts';
import { deleteMessage } from '../jetstream/wire/streams.ts';
import { CONTROL_LIMIT_MS, MAX_DELIVERIES, MemphisGroup } from './group.ts';
import { APP_ID } from './identity.ts';
import { Members } from './members.ts';
import { publishLines } from './publish-headers.ts';
import { MemphisSchemas } from './schemas.ts';
import { MemphisStations } from './stations.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { registerProducer } from './wire/producer-creation.ts';
import { createStation } from './wire/station-creation.ts';

/** How long taking a producer out of the lists may take. */
const END_LIMIT_MS = 2_000;

export class MemphisBroker implements Broker {
  readonly kind = 'memphis';
  readonly link: Link;
  readonly stations: MemphisStations;
  readonly retries: Retries;
  readonly members = new Members();
  readonly schemas: MemphisSchemas;
  readonly #readers = new Map<string, Reader>();
  /** Evaluated with the first message: functions that only read have none. */
  #publishing: typeof import('../jetstream/publish.ts') | undefined;

  /** @param options.usesSchemas whether anybody here could read one: else nothing waits for it */
  constructor(
    link: Link,
    {
      createStationOnFirstUse = false,
      usesSchemas = () => true,
    }: { readonly createStationOnFirstUse?: boolean; readonly usesSchemas?: () => boolean } = {},
  ) {
    this.link = link;
    this.stations = new MemphisStations(
      link,
      createStationOnFirstUse
        ? async (name) => {
            const connection = await link.ready(Date.now() + CONTROL_LIMIT_MS);
            await createStation(connection, name, defaultStation, CONTROL_LIMIT_MS);
          }
        : undefined,
    );
    this.retries = new Retries(link);
    this.schemas = new MemphisSchemas(link, this.stations, usesSchemas);
  }

  async partitions(station: string, options?: { readonly patienceMs?: number }): Promise<readonly number[]> {
    return (await this.stations.view(station, options?.patienceMs)).partitions;
  }

  mayGuess(station: string): boolean {
    return !this.stations.isLooked(station);
  }

  plainPartitions(station: string): readonly number[] | undefined {
    const view = this.stations.known(station);
    return view !== undefined && this.schemas.isPlain(station) ? view.partitions : undefined;
  }

  publish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const connection = this.link.atHand;
    const publishing = this.#publishing;
    const stored =
      connection === undefined || publishing === undefined
        ? this.#connectAndPublish(message, options)
        : this.#publishOn(publishing, connection, message, options);
    const look = this.schemas.looking(message.station);
    return look === undefined ? stored : stored.finally(() => look); // nothing is under way when it is over
  }

  async #connectAndPublish(message: OutgoingMessage, options: PublishOptions): Promise<Receipt> {
    const connecting = this.link.ready(Date.now() + options.timeoutMs);
    connecting.catch(() => {}); // it is awaited below
    this.#publishing = await import('../jetstream/publish.ts');
    return await this.#publishOn(this.#publishing, await connecting, message, options);
  }

  #publishOn(
    { publish }: typeof import('../jetstream/publish.ts'),
    connection: Connection,
    message: OutgoingMessage,
    options: PublishOptions,
  ): Promise<Receipt> {
    const { station } = message;
    const linesOf = (): HeaderLines => publishLines(message, connection.identity.connectionId);
    const stored = publish(this.link, this.stations, message, options, linesOf);
    // beside the message, once the station is known to be there: the broker would make it
    if (this.stations.known(station) !== undefined) this.#join(connection, message);
    else {
      const join = (): void => this.#join(connection, message);
      void this.stations.find(station, options.timeoutMs).then(join, () => {});
    }
    return stored;
  }

  /** Puts a producer into the broker's lists, once a connection. */
  #join(connection: Connection, { station, producerName: name }: OutgoingMessage): void {
    const key = `producer ${station} ${name}`;
    if (this.members.joined(connection, key) !== undefined) return;
    const told = this.members.join(connection, key, async (on, timeoutMs) => {
      this.schemas.watch(on, station);
      const answer = await registerProducer(on, { name, station, appId: APP_ID }, timeoutMs);
      this.schemas.hear(station, answer);
      return answer;
    });
    this.schemas.expect(station, told);
  }

  async schemaOf(
    station: string,
    options?: { readonly isFresh?: boolean; readonly patienceMs?: number },
  ): Promise<StationSchema | undefined> {
    const known = await this.schemas.of(station, options?.patienceMs);
    if (options?.isFresh !== true) return known;
    await this.schemas.refresh(station);
    return this.schemas.current(station);
  }

  async takeBack({ station, partition, sequence }: Receipt, { timeoutMs }: PublishOptions): Promise<void> {
    await repeat(this.link, 'take back', timeoutMs, (connection, limitMs) =>
      deleteMessage(connection, streamOf(station, partition), sequence, limitMs),
    );
  }

  async checker(options: { readonly timeoutMs: number }): Promise<(message: OutgoingMessage) => number> {
    const { checkerFor } = await import('../jetstream/publish.ts');
    return checkerFor(this.link, options.timeoutMs, (message) => publishLines(message, APP_ID));
  }

  /** The same reader for the same options. @throws MemphisError `UNSUPPORTED` for more deliveries than the broker makes */
  reader(options: ReaderOptions): Reader {
    const { station, group, binding, ackWaitMs, maxDeliveries, start, ordered } = options;
    if (binding === undefined && maxDeliveries > MAX_DELIVERIES) {
      throw new MemphisError(
        'UNSUPPORTED',
        `A Memphis broker delivers a message ${MAX_DELIVERIES} times at most; ask for no more than that.`,
        { option: 'maxMsgDeliveries', station, group },
      );
    }
    const key = JSON.stringify([station, group, binding, ackWaitMs, maxDeliveries, start, ordered]);
    let reader = this.#readers.get(key);
    if (reader === undefined) {
      reader = this.#makeReader(options);
      this.#readers.set(key, reader);
    }
    return reader;
  }

  async endProducer(station: string, name: string): Promise<void> {
    try {
      const connection = await this.link.ready(Date.now() + END_LIMIT_MS);
      const key = `producer ${station} ${name}`;
      if (this.members.joined(connection, key) === undefined) return; // this connection has no row
      await this.members.joined(connection, key);
      this.members.forget(key);
      await destroyProducer(connection, name, station, END_LIMIT_MS);
    } catch {
      // its row goes with the connection
    }
  }

  /** Waits for registrations that are under way: without their answer they would look alive for ever. */
  close(): Promise<void> {
    return this.members.settled();
  }

  /** A stream of others on this broker is read as on any NATS server. */
  #makeReader(options: ReaderOptions): Reader {
    if (options.binding !== undefined) return new JetStreamReader(this.link, this.stations, this.retries, options);
    const group = new MemphisGroup(this.link, this.stations, this.retries, options, this.members, this.schemas);
    return new JetStreamReader(this.link, this.stations, this.retries, options, {
      group,
      // evaluated with the first dead letter: most functions never have one
      setAside: async (...given) => (await import('./dead-letters.ts')).setAside(group, ...given),
      schemas: this.schemas,
    });
  }
}
