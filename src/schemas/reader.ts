/** What the codecs register: schemas compiled once each. */

import type { Batch } from '../model/batch.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { CompiledSchema, SchemaCodec, StationSchema } from '../model/schema.ts';
import type { Destination, Encode, OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { lookUp } from './look-up.ts';
import { registry } from './registry.ts';
import { sift } from './sift.ts';

/** A codec as what reads schemas. */
export class CodecReader implements SchemaReader {
  readonly codec: SchemaCodec;
  readonly #open = new WeakMap<StationSchema, Promise<CompiledSchema>>();

  constructor(codec: SchemaCodec) {
    this.codec = codec;
  }

  covers(schema: StationSchema | undefined): boolean {
    return schema?.type === this.codec.type;
  }

  /** What does not compile is not tried again, until the station has another version. */
  open(schema: StationSchema | undefined): Promise<CompiledSchema> {
    if (schema === undefined) return Promise.reject(new MemphisError('SCHEMA_INVALID', 'There is no schema to read.'));
    let known = this.#open.get(schema);
    if (known === undefined) {
      known = attempt(schema, async () => await this.codec.compile(schema));
      known.catch(() => {}); // for whoever looks at it
      this.#open.set(schema, known);
    }
    return known;
  }

  async encoder(schema: StationSchema | undefined, to: Destination): Promise<Encode> {
    return encoderOf(await this.open(schema), schema, to);
  }

  async sift(batch: Batch, onInvalid: OnInvalid): Promise<Sifted> {
    return sift(batch, await this.open(batch.schema), onInvalid);
  }

  async prepare(schema: StationSchema): Promise<Partial<StationSchema>> {
    return await attempt(schema, async () => {
      const prepared = (await this.codec.prepare?.(schema)) ?? {};
      await this.codec.compile({ ...schema, ...prepared });
      return prepared;
    });
  }
}

async function attempt<T>({ name, version }: StationSchema, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (isMemphisError(cause)) throw cause;
    const why = describeError(cause).slice(0, 500);
    throw new MemphisError('SCHEMA_INVALID', `Schema ${name}, version ${version}, cannot be used: ${why}`, { cause });
  }
}

/** Puts a codec behind what is precompiled, in the place of an earlier one of its type. @returns it for the option `schema` */
export function registerCodec(codec: SchemaCodec): CodecReader {
  const reader = new CodecReader(codec);
  const isEarlier = (one: SchemaReader): boolean => (one as Partial<CodecReader>).codec?.type === codec.type;
  registry.lookUp ??= lookUp;
  registry.readers = [...registry.readers.filter((one) => !isEarlier(one)), reader];
  return reader;
}
