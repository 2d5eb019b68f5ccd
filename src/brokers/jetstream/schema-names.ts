/** That a station has a schema, as its record says: what a process without a codec knows of schemas. */

import { within } from '../../connection/within.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import type { Stations } from './stations.ts';

/** From this age on, what is known is looked at anew beside its use. */
const MAX_AGE_MS = 30_000;

export class SchemaNames implements StationSchemas {
  readonly #stations: Stations;
  /** Asks once more, whoever answers by then. */
  readonly #again: (station: string) => Promise<StationSchema | undefined>;
  readonly #lookedAtMs = new Map<string, number>();
  /** The same object as long as it says the same. */
  readonly #known = new Map<string, StationSchema>();
  readonly #looks = new Map<string, Promise<void>>();

  constructor(stations: Stations, again: (station: string) => Promise<StationSchema | undefined>) {
    this.#stations = stations;
    this.#again = again;
  }

  /** Where there is one it is asked for each time: without it, messages can leave. */
  async of(station: string, patienceMs?: number): Promise<StationSchema | undefined> {
    await this.#stations.view(station, patienceMs);
    if (this.#named(station) !== undefined) await this.#look(station);
    return this.#named(station);
  }

  isPlain(station: string): boolean {
    this.#keepUp(station);
    return this.#named(station) === undefined;
  }

  looking(station: string): Promise<void> | undefined {
    return this.#looks.get(station);
  }

  beside(station: string): (limitMs: number) => StationSchema | undefined | Promise<StationSchema | undefined> {
    this.#keepUp(station);
    return (limitMs) => {
      const look = this.#looks.get(station);
      return look === undefined ? this.#named(station) : within(look, limitMs).then(() => this.#named(station));
    };
  }

  #named(station: string): StationSchema | undefined {
    const { schemaName: name = '', schemaType: type = '' } = this.#stations.known(station) ?? {};
    return name === '' ? undefined : this.#schema(station, name, type);
  }

  #schema(station: string, name: string, type: string): StationSchema {
    let known = this.#known.get(station);
    if (known?.name !== name || known.type !== type) {
      known = { name, type, version: 0, source: '', whole: () => this.#again(station) };
      this.#known.set(station, known);
    }
    return known;
  }

  #keepUp(station: string): void {
    const now = Date.now();
    const at = this.#lookedAtMs.get(station);
    if (at === undefined) this.#lookedAtMs.set(station, now);
    else if (now - at >= MAX_AGE_MS) void this.#look(station);
  }

  #look(station: string): Promise<void> {
    this.#lookedAtMs.set(station, Date.now());
    const look = this.#looks.get(station) ?? this.#stations.renew(station).finally(() => this.#looks.delete(station));
    this.#looks.set(station, look);
    return look;
  }
}
