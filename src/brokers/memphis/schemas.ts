/**
 * Which schema a station has. Replies to registrations tell it; where it has to be known before that, a producer is
 * registered for the answer alone, and taken out again (memphis-wire 7.2). It comes with the codecs.
 */

import type { Connection, Frame } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import type { StationSchema } from '../../model/schema.ts';
import { toInternalName } from '../../model/station.ts';
import { schemasClass } from '../jetstream/schemas.ts';
import type { Json } from '../jetstream/wire/api.ts';
import { askAs } from './looking.ts';
import { parsePush, type Registered, toRegistered } from './wire/schema-update.ts';

/** Their class, made by who needs one. */
export function memphisSchemasClass(): ReturnType<typeof schemasClass> {
  return class extends schemasClass() {
    /** Changed by us in a way that the broker tells nobody. */
    readonly #doubtful = new Set<string>();
    readonly #watched = new WeakMap<Connection, Set<string>>();
    /** How many changes of a station have been heard of. */
    readonly #changes = new Map<string, number>();
    readonly #told = new Map<string, Registered>();
    readonly #expected = new Map<string, Promise<Json | undefined>>();

    override async of(station: string, patienceMs?: number): Promise<StationSchema | undefined> {
      const isKnown = this.stations.includes(station);
      // the broker tells of changes by itself, so nothing is looked at because it is old
      return isKnown && !this.#doubtful.has(station) ? this.current(station) : await super.of(station, patienceMs);
    }

    override isPlain(station: string): boolean {
      return this.stations.includes(station) && !this.#doubtful.has(station) && this.current(station) === undefined;
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
    override watch(connection: Connection, station: string): number {
      const watched = this.#watched.get(connection) ?? new Set();
      this.#watched.set(connection, watched);
      const isNew = !watched.has(station) && !connection.isClosed;
      if (isNew) {
        watched.add(station);
        const onFrame = ({ data }: Frame): void => {
          const push = parsePush(data);
          if (push === undefined) return;
          this.#changes.set(station, this.#changesOf(station) + 1);
          this.learn(station, push.schema);
        };
        connection.subscribe(`$memphis_schema_updates_${toInternalName(station)}`, { onFrame });
      }
      return this.#changesOf(station);
    }

    #changesOf(station: string): number {
      return this.#changes.get(station) ?? 0;
    }

    /** A registration that is under way will tell. */
    override expect(station: string, telling: Promise<Json | undefined>): void {
      this.#expected.set(station, telling);
      void telling.then(() => this.#expected.delete(station));
    }

    /** What a registration told. The broker may have looked before a change, and answer behind it: then the change holds. */
    override hear(station: string, reply: Json, changes = this.#changesOf(station)): void {
      const told = toRegistered(reply);
      if ('schemaverse_to_dls' in reply) this.#told.set(station, told); // those of producers say that
      if (changes === this.#changesOf(station)) this.learn(station, told.schema);
    }

    /** What the broker wants to be told of messages that break the schema. */
    override wants(station: string): Registered | undefined {
      return this.#told.get(station);
    }

    override async lookUp(station: string, patienceMs: number): Promise<StationSchema | undefined> {
      await this.stationViews.find(station, patienceMs); // the broker would make one that is missing
      const telling = this.#expected.get(station);
      const isTold = telling !== undefined && (await within(telling, patienceMs)) !== undefined;
      if (!isTold) {
        let changes: number | undefined;
        const reply = await askAs(this.link, station, patienceMs, (on) => {
          changes = this.watch(on, station);
        });
        this.hear(station, reply, changes);
      }
      return this.current(station);
    }
  };
}
