/**
 * Schemas in the bucket (docs/decisions/015). `schema.<name>` holds the active version whole, since that is what
 * producers and consumers read; `schema-version.<n>.<name>` holds each version.
 */

import type { Connection, HeaderList } from '../../connection/port.ts';
import { MemphisError } from '../../model/errors.ts';
import type {
  CreatedSchema,
  NewSchema,
  SchemaDescription,
  SchemaListing,
  SchemaStore,
  SchemaVersion,
} from '../../model/schema-store.ts';
import type { JetStreamBroker } from './broker.ts';
import { ownId } from './own-id.ts';
import { infoOf, PATIENCE_MS, repeat } from './repeat.ts';
import { tellSchemaUpdate } from './schema-watch.ts';
import { schemaSubject, toStationSchema } from './schemas.ts';
import { BUCKET, keyOf, RECORDS, recordedStation, recordSubject, stationNotFound } from './stations.ts';
import { store } from './store.ts';
import { apiError, callApi, encodeJson, isJson, type Json, refusalOf } from './wire/api.ts';
import { frameSize } from './wire/publish.ts';
import { readStretch } from './wire/read.ts';
import { bucketConfig, createStream, purgeStream } from './wire/streams.ts';

const KV = `KV_${BUCKET}`;
const SCHEMAS = `$KV.${BUCKET}.schema.>`;
function versionSubject(name: string, version: number): string {
  return `$KV.${BUCKET}.schema-version.${version}.${keyOf(name)}`;
}
/** How often a change is tried that others get in the way of. */
const MAX_TRIES = 10;
/** More than anybody has, in one list. */
const MAX_LISTED = 10_000;

/** What a key holds, and its revision; 0: nothing. */
interface Entry {
  readonly record: Json | undefined;
  readonly revision: number;
}

function decode(data: Uint8Array): Json | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return isJson(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/*
 * $JS.API.STREAM.MSG.GET.KV_<bucket> { last_by_subj }: { message: { seq, data?: base64, hdrs?: base64 } }
 */
async function readKey(connection: Connection, subject: string, timeoutMs: number): Promise<Entry> {
  try {
    const reply = await callApi(connection, `STREAM.MSG.GET.${KV}`, `read ${subject}`, timeoutMs, {
      last_by_subj: subject,
    });
    const message = isJson(reply.message) ? reply.message : {};
    const isGone = /KV-Operation: (DEL|PURGE)/.test(Buffer.from(String(message.hdrs ?? ''), 'base64').toString());
    const data = Buffer.from(String(message.data ?? ''), 'base64');
    return { record: isGone ? undefined : decode(data), revision: Number(message.seq) };
  } catch (error) {
    const number = refusalOf(error);
    if (number !== apiError.MESSAGE_NOT_FOUND && number !== apiError.STREAM_NOT_FOUND) throw error;
    return { record: undefined, revision: 0 };
  }
}

function schemaNotFound(name: string, version?: number): MemphisError {
  const words =
    version === undefined
      ? `schema ${name}. Create it with createSchema first.`
      : `version ${version} of schema ${name}. describeSchema lists those that there are.`;
  return new MemphisError('SCHEMA_NOT_FOUND', `There is no ${words}`);
}

export class JetStreamSchemas implements SchemaStore {
  readonly #broker: JetStreamBroker;

  constructor(broker: JetStreamBroker) {
    this.#broker = broker;
  }

  async create(schema: NewSchema): Promise<CreatedSchema> {
    const { name, type } = schema;
    return await this.#change(schemaSubject(name), async ({ record }) => {
      const newest = Number(record?.newestVersion ?? 0);
      const activeVersion = Number(record?.version ?? 0);
      if (record !== undefined && record.type !== type) {
        throw new MemphisError(
          'SCHEMA_CONFLICT',
          `Schema ${name} exists already and is of type ${record.type}, not ${type}. Choose another name.`,
        );
      }
      const made = (version: number, created: boolean, isActive: boolean): CreatedSchema => ({
        name,
        type,
        version,
        created,
        isActive,
      });
      const before = newest === 0 ? undefined : await this.#read(versionSubject(name, newest));
      if (before !== undefined && isSame(before, schema))
        return { result: made(newest, false, newest === activeVersion) };
      const version = newest + 1;
      const whole = { ...schema, version, createdAt: new Date().toISOString() };
      // first the version, then the word that it is there: cut off in between, its number is taken again
      await this.#put(versionSubject(name, version), whole);
      const next = record === undefined ? whole : record;
      return { result: made(version, true, record === undefined), next: { ...next, newestVersion: version } };
    });
  }

  async attach(schema: string, station: string): Promise<void> {
    const record = await this.#read(schemaSubject(schema));
    if (record === undefined) throw schemaNotFound(schema);
    await this.#setSchema(station, schema, String(record.type));
  }

  async detach(station: string): Promise<void> {
    await this.#setSchema(station, '');
  }

  async list(): Promise<readonly SchemaListing[]> {
    const records = await this.#readAll(SCHEMAS);
    return records
      .map(({ record }) => ({
        name: String(record.name),
        type: String(record.type),
        activeVersion: Number(record.version),
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async describe(name: string): Promise<SchemaDescription> {
    const record = await this.#read(schemaSubject(name));
    if (record === undefined) throw schemaNotFound(name);
    const { type, version: activeVersion } = toStationSchema(name, record);
    const numbers = Array.from({ length: Number(record.newestVersion) || 0 }, (_, index) => index + 1);
    const found = await Promise.all(numbers.map((number) => this.#read(versionSubject(name, number))));
    const versions = found.flatMap((one): SchemaVersion[] => {
      if (one === undefined) return [];
      const { version, source, messageName } = toStationSchema(name, one);
      const isActive = version === activeVersion;
      const createdAt = new Date(String(one.createdAt));
      return [{ version, isActive, createdAt, source, ...(messageName !== undefined && { messageName }) }];
    });
    return { name, type, activeVersion, versions };
  }

  async activate(name: string, version: number): Promise<void> {
    await this.#change(schemaSubject(name), async ({ record }) => {
      if (record === undefined) throw schemaNotFound(name);
      const chosen = await this.#read(versionSubject(name, version));
      if (chosen === undefined || version > Number(record.newestVersion)) throw schemaNotFound(name, version);
      return { result: undefined, next: { ...chosen, newestVersion: record.newestVersion } };
    });
    await tellSchemaUpdate(this.#broker.link, { schema: name });
  }

  async destroy(name: string): Promise<void> {
    const record = await this.#read(schemaSubject(name));
    if (record === undefined) throw schemaNotFound(name);
    const stations = await this.#readAll(RECORDS);
    for (const { record: station, subject } of stations) {
      if (station.schemaName === name) await this.#setSchema(recordedStation(subject), '');
    }
    await this.#put(schemaSubject(name), undefined);
    const numbers = Array.from({ length: Number(record.newestVersion) || 0 }, (_, index) => index + 1);
    for (const number of numbers) {
      await repeat(this.#broker.link, 'destroy schema', PATIENCE_MS, (connection, limitMs) =>
        purgeStream(connection, KV, { filter: versionSubject(name, number) }, limitMs),
      );
    }
  }

  async #setSchema(station: string, schemaName: string, schemaType = ''): Promise<void> {
    await this.#change(recordSubject(station), async ({ record }) => {
      if (record === undefined) throw await this.#noRecord(station);
      // written also where it says so already: whoever listens looks again
      return { result: undefined, next: { ...record, schemaName, schemaType } };
    });
    this.#broker.stations.forget(station);
    await tellSchemaUpdate(this.#broker.link, { station });
  }

  async #noRecord(station: string): Promise<MemphisError> {
    this.#broker.stations.forget(station);
    const found = await this.#broker.stations.find(station).catch(() => undefined);
    if (found === undefined) return stationNotFound(station);
    return new MemphisError(
      'UNSUPPORTED',
      `Station ${station} was made by others and has no settings of ours, so no schema can be attached.`,
      { station },
    );
  }

  async #read(subject: string): Promise<Json | undefined> {
    return await repeat(this.#broker.link, 'read schema', PATIENCE_MS, async (connection, limitMs) => {
      return (await readKey(connection, subject, limitMs)).record;
    });
  }

  async #readAll(filterSubject: string): Promise<readonly { readonly subject: string; readonly record: Json }[]> {
    return await repeat(this.#broker.link, 'list schemas', PATIENCE_MS, async (connection, limitMs) => {
      try {
        const stretch = { stream: KV, filterSubject, from: 'last of each subject', limit: MAX_LISTED } as const;
        const found = await readStretch(connection, stretch, limitMs);
        return found.flatMap(({ subject, headers, data }) => {
          const isGone = headers.some(([header, value]) => header === 'KV-Operation' && value !== 'PUT');
          const record = isGone ? undefined : decode(data);
          return record === undefined ? [] : [{ subject, record }];
        });
      } catch (error) {
        if (refusalOf(error) === apiError.STREAM_NOT_FOUND) return [];
        throw error;
      }
    });
  }

  /** Changes one key; begins anew where others have changed it in the meantime. */
  async #change<T>(
    subject: string,
    change: (entry: Entry) => Promise<{ readonly result: T; readonly next?: Json }>,
  ): Promise<T> {
    for (let tries = 1; ; tries++) {
      const entry = await repeat(this.#broker.link, 'read schema', PATIENCE_MS, (connection, limitMs) =>
        readKey(connection, subject, limitMs),
      );
      const { result, next } = await change(entry);
      try {
        if (next !== undefined) await this.#put(subject, next, entry.revision);
        this.#broker.schemas.forget?.();
        return result;
      } catch (error) {
        if (refusalOf(error) !== apiError.WRONG_LAST_SEQUENCE || tries >= MAX_TRIES) throw error;
      }
    }
  }

  /** @param revision what must be there still; left out: whatever is there. Nothing as a record deletes. */
  async #put(subject: string, record: Json | undefined, revision?: number): Promise<void> {
    const { link } = this.#broker;
    const data = record === undefined ? new Uint8Array() : encodeJson(record);
    const headers: HeaderList = [
      ['Nats-Msg-Id', ownId()], // a repeat after a lost answer is the same change
      ...(revision === undefined ? [] : [['Nats-Expected-Last-Subject-Sequence', String(revision)] as const]),
      ...(record === undefined ? [['KV-Operation', 'DEL'] as const] : []),
    ];
    const { maxPayload } = await infoOf(link, PATIENCE_MS);
    if (frameSize(headers, data) > maxPayload) {
      throw new MemphisError(
        'PAYLOAD_TOO_LARGE',
        `The schema takes ${data.length} bytes as a record, more than the ${maxPayload} bytes that the broker takes.`,
      );
    }
    await store(
      link,
      subject,
      { data, headers },
      {
        timeoutMs: PATIENCE_MS,
        onMissing: async (connection, limitMs) => {
          try {
            await createStream(connection, bucketConfig(BUCKET, 1), limitMs);
          } catch (error) {
            if (refusalOf(error) !== apiError.STREAM_NAME_IN_USE) throw error;
          }
        },
      },
    );
  }
}

/** Whether a version says the same. */
function isSame(version: Json, schema: NewSchema): boolean {
  return (
    version.source === schema.source &&
    (version.messageName ?? '') === (schema.messageName ?? '') &&
    JSON.stringify(version.imports ?? {}) === JSON.stringify(schema.imports ?? {})
  );
}
