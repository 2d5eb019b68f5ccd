/**
 * Which schema a station has. Replies to registrations tell it; where it has to be known before that, a producer is
 * registered for the answer alone, and taken out again (memphis-wire 7.2).
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import type { StationSchema } from '../../model/schema.ts';
import { toInternalName } from '../../model/station.ts';
import { repeat } from '../jetstream/repeat.ts';
import { Schemas } from '../jetstream/schemas.ts';
import type { Stations } from '../jetstream/stations.ts';
import { APP_ID, LOOKING } from './identity.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { type RegisteredProducer, registerProducer } from './wire/producer-creation.ts';
import { parsePush } from './wire/schema-update.ts';

export class MemphisSchemas extends Schemas {
  readonly #waits: () => boolean;
  /** Changed by us in a way that the broker tells nobody. */
  readonly #doubtful = new Set<string>();
  readonly #watched = new WeakMap<Connection, Set<string>>();
  readonly #told = new Map<string, RegisteredProducer>();
  readonly #expected = new Map<string, Promise<RegisteredProducer | undefined>>();

  /** @param waits whether anybody could use a schema: else nothing waits for one that is not known yet */
  constructor(link: Link, stations: Stations, waits: () => boolean) {
    super(link, stations);
    this.#waits = waits;
  }

  override async of(station: string, patienceMs?: number): Promise<StationSchema | undefined> {
    const isKnown = this.stations.includes(station);
    if (!isKnown && !this.#waits()) return undefined;
    // the broker tells of changes by itself, so nothing is looked at because it is old
    return isKnown && !this.#doubtful.has(station) ? this.current(station) : await super.of(station, patienceMs);
  }

  override isPlain(station: string): boolean {
    if (!this.stations.includes(station)) return !this.#waits();
    return !this.#doubtful.has(station) && this.current(station) === undefined;
  }

  override learn(station: string, schema: StationSchema | undefined, ageMs?: number): void {
    this.#doubtful.delete(station);
    super.learn(station, schema, ageMs);
  }

  override forget(): void {
    for (const station of this.stations) this.#doubtful.add(station);
    super.forget();
  }

  /** Hears of changes, for the life of a connection: as the broker's own clients do. Nothing of it waits. */
  watch(connection: Connection, station: string): void {
    const watched = this.#watched.get(connection) ?? new Set();
    this.#watched.set(connection, watched);
    if (watched.has(station) || connection.isClosed) return;
    watched.add(station);
    connection.subscribe(`$memphis_schema_updates_${toInternalName(station)}`, {
      onFrame: ({ data }) => {
        const push = parsePush(data);
        if (push !== undefined) this.learn(station, push.schema);
      },
    });
  }

  /** A registration that is under way will tell. */
  expect(station: string, telling: Promise<RegisteredProducer | undefined>): void {
    this.#expected.set(station, telling);
    void telling.then(() => this.#expected.delete(station));
  }

  /** What a registration told. */
  hear(station: string, told: RegisteredProducer): void {
    this.#told.set(station, told);
    this.learn(station, told.schema);
  }

  /** What the broker wants to be told of messages that break the schema. */
  wants(station: string): Pick<RegisteredProducer, 'reportsViolations' | 'sendsNotifications'> {
    return this.#told.get(station) ?? { reportsViolations: true, sendsNotifications: false };
  }

  protected override async lookUp(station: string, patienceMs: number): Promise<StationSchema | undefined> {
    await this.stationViews.find(station, patienceMs); // the broker would make one that is missing
    const telling = this.#expected.get(station);
    const expected = telling && (await within(telling, patienceMs));
    if (expected !== undefined) return expected.schema;
    return await repeat(this.link, 'look for schema', patienceMs, async (connection, limitMs) => {
      this.watch(connection, station); // before the answer, so that no change falls between
      const told = await registerProducer(connection, { name: LOOKING, station, appId: APP_ID }, limitMs);
      await destroyProducer(connection, LOOKING, station, limitMs);
      this.#told.set(station, told);
      return told.schema;
    });
  }
}
