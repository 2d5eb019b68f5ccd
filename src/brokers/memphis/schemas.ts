/**
 * Which schema a station has. Replies to registrations tell it; where it has to be known before that, a producer is
 * registered for the answer alone, and taken out again (memphis-wire 7.2).
 */

import type { Link } from '../../connection/link.ts';
import { within } from '../../connection/within.ts';
import type { StationSchema } from '../../model/schema.ts';
import { repeat } from '../jetstream/repeat.ts';
import { Schemas } from '../jetstream/schemas.ts';
import type { Stations } from '../jetstream/stations.ts';
import { APP_ID, LOOKING } from './identity.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { type RegisteredProducer, registerProducer } from './wire/producer-creation.ts';

export class MemphisSchemas extends Schemas {
  readonly #waits: () => boolean;
  readonly #told = new Map<string, RegisteredProducer>();
  readonly #expected = new Map<string, Promise<RegisteredProducer | undefined>>();

  /** @param waits whether anybody could use a schema: else nothing waits for one that is not known yet */
  constructor(link: Link, stations: Stations, waits: () => boolean) {
    super(link, stations);
    this.#waits = waits;
  }

  override async of(station: string, patienceMs?: number): Promise<StationSchema | undefined> {
    return this.#waits() || this.stations.includes(station) ? await super.of(station, patienceMs) : undefined;
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
      const told = await registerProducer(connection, { name: LOOKING, station, appId: APP_ID }, limitMs);
      await destroyProducer(connection, LOOKING, station, limitMs);
      this.#told.set(station, told);
      return told.schema;
    });
  }
}
