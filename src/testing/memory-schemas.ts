/** Schemas held in memory, and which stations have them. */

import { MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';
import type { CreatedSchema, NewSchema, SchemaDescription, SchemaListing, SchemaStore } from '../model/schema-store.ts';
import type { Clock } from './fake-clock.ts';

interface Version {
  readonly schema: StationSchema;
  readonly createdAt: Date;
}

interface Known {
  readonly type: NewSchema['type'];
  readonly versions: Version[];
  active: number;
}

export class MemorySchemas implements SchemaStore {
  readonly #clock: Clock;
  readonly #find: (station: string) => unknown;
  readonly #known = new Map<string, Known>();
  /** Schemas by station. */
  readonly #attached = new Map<string, string>();

  /** @param find throws for a station that is not there */
  constructor(clock: Clock, find: (station: string) => unknown) {
    this.#clock = clock;
    this.#find = find;
  }

  async create({ name, type, ...rest }: NewSchema): Promise<CreatedSchema> {
    const known = this.#known.get(name) ?? { type, versions: [], active: 1 };
    if (known.type !== type) {
      throw new MemphisError('SCHEMA_CONFLICT', `Schema ${name} exists and is of type ${known.type}, not ${type}.`);
    }
    this.#known.set(name, known);
    const newest = known.versions.at(-1);
    const created = newest === undefined || newest.schema.source !== rest.source;
    const version = known.versions.length + (created ? 1 : 0);
    if (created) {
      const schema = { name, type, version, ...rest };
      known.versions.push({ schema, createdAt: new Date(this.#clock.now()) });
    }
    return { name, type, version, created, isActive: known.active === version };
  }

  async attach(schema: string, station: string): Promise<void> {
    this.#find(station);
    this.check(schema);
    this.#attached.set(station, schema);
  }

  async detach(station: string): Promise<void> {
    this.#find(station);
    this.#attached.delete(station);
  }

  async list(): Promise<readonly SchemaListing[]> {
    return [...this.#known]
      .map(([name, { type, active }]) => ({ name, type, activeVersion: active }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async describe(name: string): Promise<SchemaDescription> {
    const { type, active, versions } = this.check(name);
    return {
      name,
      type,
      activeVersion: active,
      versions: versions.map(({ schema: { version, source, messageName }, createdAt }) => ({
        version,
        isActive: version === active,
        createdAt,
        source,
        ...(messageName !== undefined && { messageName }),
      })),
    };
  }

  async activate(name: string, version: number): Promise<void> {
    const known = this.check(name);
    if (known.versions[version - 1] === undefined) {
      throw new MemphisError('SCHEMA_NOT_FOUND', `There is no version ${version} of schema ${name}.`);
    }
    known.active = version;
  }

  async destroy(name: string): Promise<void> {
    this.check(name);
    this.#known.delete(name);
    for (const [station, schema] of this.#attached) if (schema === name) this.#attached.delete(station);
  }

  /** The active version of a station's schema: the same object as long as it is that one. */
  of(station: string): StationSchema | undefined {
    const known = this.#known.get(this.nameOf(station));
    return known?.versions[known.active - 1]?.schema;
  }

  /** '' for none. */
  nameOf(station: string): string {
    return this.#attached.get(station) ?? '';
  }

  /** @throws MemphisError `SCHEMA_NOT_FOUND` */
  check(name: string): Known {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    throw new MemphisError('SCHEMA_NOT_FOUND', `There is no schema ${name}; create it first.`);
  }
}
