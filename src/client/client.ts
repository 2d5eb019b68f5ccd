/** The whole client: data side and administration. */

import { JetStreamAdmin } from '../brokers/jetstream/admin.ts';
import { JetStreamBroker } from '../brokers/jetstream/broker.ts';
import { warnOfPassedOver } from '../brokers/jetstream/passes-over.ts';
import { canBeWatched, watchSchemas } from '../brokers/jetstream/schema-watch.ts';
import { StreamBroker } from '../brokers/jetstream/stream-broker.ts';
import { MemphisAdmin } from '../brokers/memphis/admin.ts';
import { MemphisBroker } from '../brokers/memphis/broker.ts';
import type { HttpApi } from '../brokers/memphis/http-api.ts';
import type { Broker, BrokerAdmin } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { Given } from '../model/option-spec.ts';
import { schemaOptions } from '../model/options/stations.ts';
import { resolveOptions } from '../model/resolve-options.ts';
import type { SchemaType, StationSchema } from '../model/schema.ts';
import {
  type CreatedSchema,
  checkSchemaName,
  checkSchemaType,
  type SchemaDescription,
  type SchemaListing,
  type SchemaStore,
  toSource,
} from '../model/schema-store.ts';
import { checkName } from '../model/station.ts';
import type { StationDescription, StationListing } from '../model/station-description.ts';
import { type StationOptions, toStationSettings } from '../model/station-settings.ts';
import { readerFor } from '../schemas/registry.ts';
import type { Consuming } from './consume.ts';
import { Consumer, type ConsumerOptions } from './consumer.ts';
import { DataClient } from './data.ts';
import { DeadLetters, toDeadLetterSource } from './dead-letters.ts';
import type { BindingArgument } from './fetching.ts';
import { limitsOf } from './portability.ts';
import type { Session } from './session.ts';
import { Station, type StationOwner } from './station.ts';

/** The text of a schema; of `json` and `avro` also the value that it says. */
export type SchemaSource = string | Uint8Array | object | boolean;
/** Options of `createSchema`. */
export interface SchemaOptions extends Given<typeof schemaOptions> {}

/** What `connect` returns: stations, schemas and dead letters, producing and consuming. Close it when you are done. */
export class Client extends DataClient implements StationOwner {
  readonly #api: HttpApi;
  /** What consumes in the background. */
  readonly #runs = new Set<Consuming>();
  #endWatch: () => void = () => {};

  /** @internal Use `connect`. */
  constructor(session: Session, api: HttpApi) {
    super(session);
    this.#api = api;
  }

  /**
   * A consumer of a group. The group's position is made on first use.
   *
   * @typeParam Value what `message.value()` is; nothing checks it but a schema
   * @param source a station's name; or `{ stream, filterSubject?, group? }` for a stream that exists already, whose
   * settings and whose groups' settings are never changed
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `INVALID_OPTION`
   */
  async createConsumer<Value = unknown>(
    source: string | BindingArgument,
    options?: ConsumerOptions,
  ): Promise<Consumer<Value>> {
    const consumer = new Consumer<Value>(this.session, source, options, {
      onRun: (run) => this.#watch(run),
      destroyGroup: async (reading) => (await this.#admin()).destroyGroup(reading),
    });
    const broker = await this.session.broker();
    if (typeof source === 'string') await broker.partitions(consumer.station);
    return consumer;
  }

  /**
   * Makes a station; one that exists stays as it is, whatever the options say.
   *
   * @throws MemphisError `INVALID_NAME`, `INVALID_OPTION`, `STATION_CONFLICT`, `STORAGE_FULL`, `PERMISSION_DENIED`,
   * `UNSUPPORTED` (more replicas than servers, tiered storage)
   */
  async createStation(name: string, options?: StationOptions): Promise<Station> {
    const checked = checkName('station', name);
    const settings = toStationSettings(checked, options);
    await (await this.#admin()).createStation(checked, settings);
    if (settings.retentionType === 'ack_based') await this.#warnOfAckBased(checked);
    return new Station(this, checked);
  }

  /** A station by name. No I/O. @throws MemphisError `INVALID_NAME` */
  station(name: string): Station {
    return new Station(this, checkName('station', name));
  }

  /** Deletes a station with its messages, groups and dead letters. @throws MemphisError `STATION_NOT_FOUND` */
  async destroyStation(name: string): Promise<void> {
    await (await this.#admin()).destroyStation(checkName('station', name));
  }

  /**
   * A station as it is: settings in force, what its partitions hold, where its groups stand, how many dead letters.
   *
   * @throws MemphisError `STATION_NOT_FOUND`, `INVALID_NAME`, `PERMISSION_DENIED`
   */
  async describeStation(name: string): Promise<StationDescription> {
    const checked = checkName('station', name);
    return await (await this.#admin()).describeStation(checked);
  }

  /** All stations of this broker, those of others too, by name. @throws MemphisError `PERMISSION_DENIED` */
  async listStations(): Promise<readonly StationListing[]> {
    return await (await this.#admin()).listStations();
  }

  /**
   * The dead letters of a station, or of a stream that was made by others. No I/O.
   *
   * @throws MemphisError `INVALID_NAME`, `INVALID_OPTION`
   */
  deadLetters(source: string | { readonly stream: string }): DeadLetters {
    const { name, isBound } = toDeadLetterSource(source);
    return new DeadLetters({ name, isBound }, async () => (await this.#admin()).deadLetterStore(name, isBound));
  }

  /**
   * Makes a schema, or a new version of one. The first version is in use at once, later ones wait for
   * {@link Client.activateSchema}. The same text again is no new version.
   *
   * @param name in lower case
   * @param source its text; of `json` and `avro` also an object
   * @throws MemphisError `SCHEMA_INVALID` for what does not compile, `SCHEMA_CONFLICT` where it exists and is of another
   * type, `INVALID_NAME`, `INVALID_OPTION`, `DEPENDENCY_MISSING`, `PAYLOAD_TOO_LARGE`, `PERMISSION_DENIED`
   * @example
   * ```ts
   * await memphis.createSchema('order', 'json', { type: 'object', required: ['id'] });
   * await memphis.attachSchema('order', 'orders');
   * ```
   */
  async createSchema(
    name: string,
    type: SchemaType,
    source: SchemaSource,
    options?: SchemaOptions,
  ): Promise<CreatedSchema> {
    const { messageName, imports } = resolveOptions('createSchema', schemaOptions, options);
    const checked = checkSchemaType(type);
    const schema = {
      name: checkSchemaName(name),
      type: checked,
      source: toSource(checked, source),
      ...(messageName !== undefined && { messageName }),
      ...(imports !== undefined && { imports }),
    };
    const store = await this.#schemas();
    const created = await store.create({ ...(await prepare(schema)), ...schema });
    if (created.created) await this.#warn(schema.name, checked, schema.source);
    return created;
  }

  /**
   * From now on what is produced into the station has to satisfy the schema, and consumers get values by it.
   *
   * @throws MemphisError `SCHEMA_NOT_FOUND`, `STATION_NOT_FOUND`, `UNSUPPORTED` for a station that was made by others
   */
  async attachSchema(schema: string, station: string): Promise<void> {
    await (await this.#schemas()).attach(checkSchemaName(schema), checkName('station', station));
  }

  /** As {@link Client.attachSchema}, under the name that newer Memphis SDKs have for it. */
  enforceSchema(schema: string, station: string): Promise<void> {
    return this.attachSchema(schema, station);
  }

  /** The station takes everything again. @throws MemphisError `STATION_NOT_FOUND`, `UNSUPPORTED` */
  async detachSchema(station: string): Promise<void> {
    await (await this.#schemas()).detach(checkName('station', station));
  }

  /** All schemas of this broker, by name. */
  async listSchemas(): Promise<readonly SchemaListing[]> {
    return await (await this.#schemas()).list();
  }

  /** A schema with all its versions. @throws MemphisError `SCHEMA_NOT_FOUND` */
  async describeSchema(name: string): Promise<SchemaDescription> {
    return await (await this.#schemas()).describe(checkSchemaName(name));
  }

  /** Puts a version of a schema into use, at all stations that have it. @throws MemphisError `SCHEMA_NOT_FOUND` */
  async activateSchema(name: string, version: number): Promise<void> {
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new MemphisError('INVALID_OPTION', 'activateSchema: the version must be a whole number from 1 up.', {
        option: 'version',
      });
    }
    await (await this.#schemas()).activate(checkSchemaName(name), version);
  }

  /** Detaches a schema from all stations and deletes it with its versions. @throws MemphisError `SCHEMA_NOT_FOUND` */
  async destroySchema(name: string): Promise<void> {
    await (await this.#schemas()).destroy(checkSchemaName(name));
  }

  /**
   * Stops all consumers and waits for their handlers, then for what is being produced (each message has its
   * `ackWaitMs`), and ends the connection. Groups and their positions stay.
   *
   * @throws MemphisError `NOT_ALL_STORED` for failures of `async` produces that no `onError` took; it is closed then
   */
  async close(): Promise<void> {
    try {
      await Promise.all([...this.#runs].map((run) => run.stop()));
      await this.endProducing();
    } finally {
      this.#endWatch();
      await this.session.close();
    }
  }

  /** {@link Client.close}, so that `await using` closes the client at the end of its block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Follows changes of schemas as they happen, for the life of this client. */
  watchSchemas(broker: Broker): void {
    const schemas = broker instanceof JetStreamBroker ? broker.schemas : undefined;
    if (canBeWatched(schemas)) this.#endWatch = watchSchemas(schemas);
  }

  /** Programs with SDKs of Memphis may use the schema too; on a NATS server there are none. */
  async #warn(name: string, type: SchemaType, source: string): Promise<void> {
    if ((await this.session.broker()).kind !== 'memphis') return;
    for (const limit of limitsOf(type, source)) {
      process.emitWarning(`Schema ${name}: ${limit}`, { code: 'MEMPHIS_SCHEMA_LIMIT' });
    }
  }

  async #warnOfAckBased(station: string): Promise<void> {
    const broker = await this.session.broker();
    if (broker instanceof StreamBroker) await warnOfPassedOver(broker, station).catch(() => {}); // the station is made
  }

  #watch(run: Consuming): void {
    this.#runs.add(run);
    void run.ended.then(() => this.#runs.delete(run));
  }

  async #schemas(): Promise<SchemaStore> {
    const { schemas } = await this.#admin();
    if (schemas !== undefined) return schemas;
    throw new MemphisError('UNSUPPORTED', 'This broker has no schemas.');
  }

  async #admin(): Promise<BrokerAdmin> {
    const broker = await this.session.broker();
    if (broker instanceof JetStreamBroker) return new JetStreamAdmin(broker);
    if (broker instanceof MemphisBroker) return new MemphisAdmin(broker, this.#api);
    if (isAdmin(broker)) return broker;
    throw new MemphisError('UNSUPPORTED', `The ${broker.kind} driver has no administration yet.`);
  }
}

/** A driver of a test may have its administration with it. */
function isAdmin(broker: object): broker is BrokerAdmin {
  return 'createStation' in broker;
}

/** What its codec says of a schema: that it compiles, and what the broker shall keep beside it. */
async function prepare(schema: Omit<StationSchema, 'version'>): Promise<Partial<StationSchema>> {
  const codec = await readerFor({ ...schema, version: 0 }); // no precompiled one, which knows nothing of other texts
  return await codec.prepare({ ...schema, version: 1 });
}
