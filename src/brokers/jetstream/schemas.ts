/**
 * Which schema a station has, as the bucket says. Remembered; what is older than half a minute is looked at anew beside
 * the work, so that functions, which hear nothing while they sleep, follow changes too. It comes with the codecs.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { within } from '../../connection/within.ts';
import type { StationSchema } from '../../model/schema.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { unreadSchema, withProblem } from '../../model/schema-problem.ts';
import { Looks } from './looks.ts';
import { PATIENCE_MS, repeat } from './repeat.ts';
import { BUCKET, keyOf, readRecord, type Stations } from './stations.ts';
import { apiError, isJson, type Json, refusalOf } from './wire/api.ts';
import { lastMessage } from './wire/streams.ts';

/** From this age on, what is known of a station's schema is looked at anew when it is used. */
export const SCHEMA_MAX_AGE_MS = 30_000;
/** What is younger needs no look, whatever the reason. */
const JUST_NOW_MS = 500;
/** How long a look beside the work may hold up its end. */
const LOOK_LIMIT_MS = 1_000;

interface Known {
  readonly schema: StationSchema | undefined;
  /** When that was; absent: it has to be looked at before it is used. */
  readonly atMs: number | undefined;
}

/** The key of a schema: its active version and what there is beside it (docs/architecture.md). */
export function schemaSubject(name: string): string {
  return `$KV.${BUCKET}.schema.${keyOf(name)}`;
}

/** Of a schema that is not there, or whose record somebody has damaged, nothing is known but its name. */
export function toStationSchema(name: string, record: Json): StationSchema {
  const { type, version, source, createdAt: _, newestVersion: __, ...rest } = record;
  const isSound = typeof type === 'string' && Number.isSafeInteger(version) && typeof source === 'string';
  // what else it says is for the codec to judge
  return withProblem(
    isSound ? { ...rest, name, type, version: Number(version), source } : { name, type: '', version: 0, source: '' },
  );
}

async function readSchema(connection: Connection, name: string, limitMs: number): Promise<StationSchema> {
  try {
    const { data } = await lastMessage(connection, `KV_${BUCKET}`, schemaSubject(name), limitMs);
    const record: unknown = JSON.parse(new TextDecoder().decode(data));
    return toStationSchema(name, isJson(record) ? record : {});
  } catch (error) {
    const number = refusalOf(error);
    if (number !== apiError.MESSAGE_NOT_FOUND && !(error instanceof SyntaxError)) throw error;
    return toStationSchema(name, {});
  }
}

/** What is known of the schemas of a broker's stations. */
export interface Schemas extends StationSchemas {
  readonly link: Link;
  readonly stationViews: Stations;
  /** Called at each use: a client that lives long listens for changes. */
  onUse: (() => void) | undefined;
  fresh(station: string): Promise<StationSchema | undefined>;
  /** What is known now. No I/O. */
  current(station: string): StationSchema | undefined;
  /** Looks at what may have changed, unless that was done just now. Never rejects. */
  refresh(station: string): Promise<void>;
  /** Takes over what was found, or heard. The same object stays as long as it says the same: what was compiled hangs on it. */
  learn(station: string, schema: StationSchema | undefined, ageMs?: number): void;
  forget(): void;
  /** What is known of a station is looked at anew beside its next use. */
  outdate(station: string): void;
  /** Stations of which something is known. */
  readonly stations: readonly string[];
  /** Asks the broker. @param schema the name of it, where that was told just now */
  lookUp(station: string, patienceMs: number, schema?: string): Promise<StationSchema | undefined>;
}

/** Their class. Made by who needs one: a function that has a codec pays for it when it asks for a schema, and not at each start. */
export function schemasClass(): new (link: Link, stations: Stations) => Schemas {
  return class implements Schemas {
    readonly link: Link;
    readonly stationViews: Stations;
    readonly #known = new Map<string, Known>();
    /** Thousands of messages may want to know at once, and one question is enough. */
    readonly #firsts = new Looks('station', (station: string, limitMs: number) =>
      this.#first(station, limitMs).finally(() => this.#firsts.delete(station)),
    );
    readonly #looks = new Map<string, Promise<void>>();
    /** Called at each use: a client that lives long listens for changes. */
    onUse: (() => void) | undefined;

    constructor(link: Link, stations: Stations) {
      this.link = link;
      this.stationViews = stations;
    }

    /** What is known; at the first use it is looked up. @throws MemphisError `STATION_NOT_FOUND`, and what looking up throws */
    async of(station: string, patienceMs: number = PATIENCE_MS): Promise<StationSchema | undefined> {
      this.onUse?.();
      if (this.#known.get(station)?.atMs === undefined) {
        await this.#firsts.find(station, patienceMs);
      } else if (this.#ageMs(station) >= SCHEMA_MAX_AGE_MS) void this.refresh(station);
      return this.current(station);
    }

    async fresh(station: string): Promise<StationSchema | undefined> {
      await this.of(station);
      await this.refresh(station);
      return this.current(station);
    }

    beside(station: string, patienceMs: number): (limitMs: number) => Promise<StationSchema | undefined> {
      const looked = this.of(station, patienceMs).then(
        () => undefined,
        () => unreadSchema(),
      );
      return async (limitMs) => {
        const unread = await looked;
        const look = this.looking(station);
        if (look !== undefined) await within(look, limitMs);
        return unread ?? this.current(station);
      };
    }

    /** Mostly there is none, which is known with the station. */
    async #first(station: string, patienceMs: number): Promise<true> {
      if (this.#known.has(station)) await this.#look(station, patienceMs);
      else {
        const { schemaName } = await this.stationViews.view(station, patienceMs);
        const isNone = schemaName === '';
        this.learn(station, isNone ? undefined : await this.lookUp(station, patienceMs, schemaName));
      }
      return true;
    }

    /** What is known now. No I/O. */
    current(station: string): StationSchema | undefined {
      return this.#known.get(station)?.schema;
    }

    /** Whether a station is known to have none. What is old is looked at beside the use, as by `of`. */
    isPlain(station: string): boolean {
      const known = this.#known.get(station);
      if (known?.atMs === undefined || known.schema !== undefined) return false;
      this.onUse?.();
      if (this.#ageMs(station) >= SCHEMA_MAX_AGE_MS) void this.refresh(station);
      return true;
    }

    /** The end of a look beside the work; nothing where there is none. Never rejects. */
    looking(station: string): Promise<void> | undefined {
      return this.#looks.get(station);
    }

    /** Looks at what may have changed, unless that was done just now. Never rejects. */
    refresh(station: string): Promise<void> {
      const open = this.#looks.get(station);
      if (open !== undefined) return open;
      if (this.#ageMs(station) < JUST_NOW_MS) return Promise.resolve();
      const look = this.#look(station, LOOK_LIMIT_MS)
        // what is known stays in use, and is looked at again soon
        .catch(() => this.learn(station, this.current(station), SCHEMA_MAX_AGE_MS - LOOK_LIMIT_MS))
        .finally(() => this.#looks.delete(station));
      this.#looks.set(station, look);
      return look;
    }

    /** Takes over what was found, or heard. The same object stays as long as it says the same: what was compiled hangs on it. */
    learn(station: string, schema: StationSchema | undefined, ageMs = 0): void {
      const before = this.current(station);
      const isSame = JSON.stringify(before) === JSON.stringify(schema);
      this.#known.set(station, { schema: isSame ? before : schema, atMs: Date.now() - ageMs });
    }

    /** What is known is looked at anew before the next use. */
    forget(): void {
      for (const [station, { schema }] of this.#known) this.#known.set(station, { schema, atMs: undefined });
    }

    /** What is known of a station is looked at anew beside its next use. */
    outdate(station: string): void {
      const { schema, atMs } = this.#known.get(station) ?? {};
      if (atMs !== undefined) this.#known.set(station, { schema, atMs: 0 });
    }

    /** Stations of which something is known. */
    get stations(): readonly string[] {
      return [...this.#known.keys()];
    }

    #ageMs(station: string): number {
      return Date.now() - (this.#known.get(station)?.atMs ?? 0);
    }

    async #look(station: string, patienceMs: number): Promise<void> {
      this.learn(station, await this.lookUp(station, patienceMs));
    }

    /** Asks the broker. @param schema the name of it, where that was told just now */
    async lookUp(station: string, patienceMs: number, schema?: string): Promise<StationSchema | undefined> {
      return await repeat(this.link, 'look for schema', patienceMs, async (connection, limitMs) => {
        const name = schema ?? (await readRecord(connection, station, limitMs))?.schemaName ?? '';
        return name === '' ? undefined : await readSchema(connection, name, limitMs);
      });
    }
  };
}
