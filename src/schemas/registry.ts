/**
 * Which schemas this process can read. The few lines that every function holds: all else comes with the codecs
 * (`./json.ts` ...), which put themselves in here when they are imported.
 */

import type { Batch } from '../model/batch.ts';
import { MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';
import type { OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';

/** On `globalThis`, so that codecs of a second copy of this package serve this one too. */
const slot = Symbol.for('memphis-serverless.schemas.v1');
const holder = globalThis as unknown as Record<symbol, SchemaReader | undefined>;

/** What is registered; the first codec that is imported brings it along. */
export function registered(make?: () => SchemaReader): SchemaReader | undefined {
  if (make !== undefined) holder[slot] ??= make();
  return holder[slot];
}

/**
 * What reads a schema: registered, or found installed beside this package. Where that is bundled nothing is found, and
 * bundlers cannot follow the name.
 *
 * @throws MemphisError `DEPENDENCY_MISSING`, `SCHEMA_INVALID` for a type that is none, `SCHEMA_NOT_FOUND`
 */
export async function readerFor(schema: StationSchema): Promise<SchemaReader> {
  const { name, type, version } = schema;
  if (version < 0) {
    throw new MemphisError('TIMEOUT', 'The schema of the station could not be read. Try again.');
  }
  if (version === 0) {
    throw new MemphisError('SCHEMA_NOT_FOUND', `The station's schema ${name} does not exist. Create it, or detach it.`);
  }
  if (!/^(json|protobuf|graphql|avro)$/.test(type)) {
    throw new MemphisError('SCHEMA_INVALID', `Schema ${name} is of a type that is not known here.`);
  }
  let cause: unknown;
  if (registered()?.covers(schema) !== true) {
    const subpath = `memphis-serverless/schemas/${type}`;
    await import(/* webpackIgnore: true */ /* @vite-ignore */ subpath).catch((error: unknown) => {
      cause = error;
    });
  }
  const reader = registered();
  if (reader?.covers(schema) === true) return reader;
  throw new MemphisError(
    'DEPENDENCY_MISSING',
    `Version ${version} of schema ${name} needs a codec: import 'memphis-serverless/schemas/${type}', with what that needs, or compile it anew.`,
    { cause },
  );
}

/**
 * A batch whose messages are read by the station's schema, without those that do not fit. Nothing where there is no
 * schema.
 *
 * @param own handed in by the caller; counts in place of the station's schema where it covers that
 */
export async function siftBatch(
  batch: Batch,
  own: SchemaReader | undefined,
  onInvalid: OnInvalid,
): Promise<Sifted | undefined> {
  const { schema } = batch;
  const reader = own?.covers(schema) === true ? own : schema && readerFor(schema);
  if (reader === undefined) return undefined;
  try {
    return await (await reader).sift(batch, onInvalid);
  } catch (error) {
    // not the messages' fault: whoever asks for a value meets the error, and their bytes can be read all the same
    const decode = (): never => {
      throw error;
    };
    return { batch: { ...batch, decode } };
  }
}
