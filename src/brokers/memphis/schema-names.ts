/** That a station has a schema, as answers to registrations say: what a process without a codec knows of schemas. */

import type { StationSchema } from '../../model/schema.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { isJson, type Json } from '../jetstream/wire/api.ts';

const LIMIT_MS = 5_000;

export class MemphisSchemaNames implements StationSchemas {
  readonly #again: (station: string) => Promise<StationSchema | undefined>;
  readonly #known = new Map<string, StationSchema>();

  /** Asks the broker. Whoever produces brings it along: those who read hear of schemas when they register. */
  ask: ((station: string, patienceMs: number) => Promise<Json>) | undefined;

  /** @param again asks once more, whoever answers by then */
  constructor(again: (station: string) => Promise<StationSchema | undefined>) {
    this.#again = again;
  }

  /** Nothing waits for one that is not known. Where there is one it is asked for each time: without it, messages can leave. */
  async of(station: string, patienceMs: number = LIMIT_MS): Promise<StationSchema | undefined> {
    if (this.ask !== undefined && !this.isPlain(station)) this.hear(station, await this.ask(station, patienceMs));
    return this.#known.get(station);
  }

  isPlain(station: string): boolean {
    return !this.#known.has(station);
  }

  looking(): undefined {}

  beside(station: string): () => StationSchema | undefined {
    return () => this.#known.get(station);
  }

  /* { schema_update: { schema_name, type, ... } }; an empty name: none */
  hear(station: string, { schema_update: update }: Json): void {
    const { schema_name: name, type = '' }: Json = isJson(update) ? update : {};
    const whole = (): Promise<StationSchema | undefined> => this.#again(station);
    if (typeof name !== 'string' || name === '') this.#known.delete(station);
    else if (this.#known.get(station)?.name !== name)
      this.#known.set(station, { name, type: String(type), version: 0, source: '', whole });
  }
}
