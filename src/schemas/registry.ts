/**
 * Which schemas this process can read. The few lines that every function holds: all else comes with the codecs
 * (`./json.ts` ...), which put themselves in here when they are imported.
 */

import type { Batch } from '../model/batch.ts';
import { MemphisError } from '../model/errors.ts';
import type { StationSchema } from '../model/schema.ts';
import type { LookUp } from '../model/schema-look-up.ts';
import type { OnInvalid, SchemaReader, Sifted } from '../model/schema-reader.ts';

interface Registry {
  /** What reads schemas; who stands further in front is asked first: precompiled versions, then codecs. */
  readers: SchemaReader[];
  /** What finds out about the schemas of stations; codecs and validators bring it along. */
  lookUp?: LookUp;
}

const slot = Symbol.for('memphis-serverless.schemas.v3');
const holder = globalThis as unknown as Record<symbol, Registry>;
holder[slot] ??= { readers: [] };

/** What is registered in this process. On `globalThis`, so that codecs of a second copy of this package serve this one too. */
export const registry: Registry = holder[slot];

/**
 * What reads a schema: registered, or found installed beside this package. Where that is bundled nothing is found, and
 * bundlers cannot follow the name.
 *
 * @throws MemphisError `DEPENDENCY_MISSING`, and why the schema cannot be used at all
 */
export async function readerFor(schema: StationSchema): Promise<SchemaReader> {
  const { name, type, version, problem } = schema;
  if (problem !== undefined) throw problem;
  const find = (): SchemaReader | undefined => registry.readers.find((one) => one.covers(schema));
  let cause: unknown;
  let reader = find();
  if (reader === undefined) {
    const subpath = `memphis-serverless/schemas/${type}`;
    await import(/* webpackIgnore: true */ /* @vite-ignore */ subpath).catch((error: unknown) => {
      cause = error;
    });
    reader = find();
  }
  if (reader !== undefined) return reader;
  throw new MemphisError(
    'DEPENDENCY_MISSING',
    `${version > 0 ? `Version ${version} of s` : 'S'}chema ${name} needs a codec: import 'memphis-serverless/schemas/${type || '<its type>'}' and install what it needs, or precompile it.`,
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
  try {
    if (own?.covers(schema) === true) return await own.sift(batch, onInvalid);
    if (schema === undefined) return undefined;
    const reader = await readerFor(schema);
    if (schema.whole === undefined) return await reader.sift(batch, onInvalid);
    // it may have been detached meanwhile, or not be fit for use
    return await siftBatch({ ...batch, schema: await schema.whole() }, own, onInvalid);
  } catch (error) {
    // not the messages' fault: whoever asks for a value meets the error, and their bytes can be read all the same
    const decode = (): never => {
      throw error;
    };
    return { batch: { ...batch, decode } };
  }
}
