/** What the codecs register: schemas compiled once each, batches sifted by them. */

import type { Batch } from '../model/batch.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { StoredMessage } from '../model/message.ts';
import type { Settled } from '../model/outcome.ts';
import type { CompiledSchema, SchemaCodec, StationSchema } from '../model/schema.ts';
import type { Destination, Encode, OnInvalid, SchemaReader, Sifted, SiftResult } from '../model/schema-reader.ts';
import { encoderOf } from './encoder.ts';
import { lookUp } from './look-up.ts';
import { registry } from './registry.ts';

/** A version that was compiled ahead of time: it reads this one alone. */
export interface PrecompiledSchema extends CompiledSchema {
  readonly name: string;
  readonly type: string;
  readonly version: number;
}

/** Delay of what is retried because it does not fit: its schema may change, but not at once. */
const RETRY_MS = 60_000;

export class CodecReader implements SchemaReader {
  readonly #codecs = new Map<string, SchemaCodec>();
  readonly #precompiled = new Map<string, PrecompiledSchema>();
  readonly #open = new WeakMap<StationSchema, Promise<CompiledSchema>>();

  /** @param codecs those that it has from the start */
  constructor(...codecs: readonly SchemaCodec[]) {
    for (const codec of codecs) this.add(codec);
  }

  add(codec: SchemaCodec): void {
    this.#codecs.set(codec.type, codec);
  }

  addPrecompiled(schema: PrecompiledSchema): void {
    this.#precompiled.set(keyOf(schema), schema);
  }

  covers(schema: StationSchema | undefined): boolean {
    return schema !== undefined && (this.#precompiled.has(keyOf(schema)) || this.#codecs.has(schema.type));
  }

  /** What does not compile is not tried again, until the station has another version. */
  open(schema: StationSchema | undefined): Promise<CompiledSchema> {
    if (schema === undefined) return Promise.reject(new MemphisError('SCHEMA_INVALID', 'There is no schema to read.'));
    let known = this.#open.get(schema);
    if (known === undefined) {
      const precompiled = this.#precompiled.get(keyOf(schema));
      if (precompiled !== undefined) return Promise.resolve(precompiled);
      known = this.#compile(schema);
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
    const codec = this.#codecOf(schema);
    return await attempt(schema, async () => {
      const prepared = (await codec.prepare?.(schema)) ?? {};
      await codec.compile({ ...schema, ...prepared });
      return prepared;
    });
  }

  async #compile(schema: StationSchema): Promise<CompiledSchema> {
    const codec = this.#codecOf(schema);
    return await attempt(schema, async () => codec.compile(schema));
  }

  #codecOf({ name, type }: StationSchema): SchemaCodec {
    const codec = this.#codecs.get(type);
    if (codec !== undefined) return codec;
    const why = `Schema ${name} needs a codec: import 'memphis-serverless/schemas/${type}'.`;
    throw new MemphisError('DEPENDENCY_MISSING', why);
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

const keyOf = ({ name, type, version }: Pick<StationSchema, 'name' | 'type' | 'version'>): string =>
  `${type} ${version} ${name}`;

/** The reader of this process, made when the first codec comes, which brings what finds out about schemas as well. */
function shared(): CodecReader {
  registry.lookUp ??= lookUp;
  registry.reader ??= new CodecReader();
  return registry.reader as CodecReader;
}

export function registerCodec(codec: SchemaCodec): void {
  shared().add(codec);
}

/** For code that `schema compile` has written. */
export function registerPrecompiled(schema: PrecompiledSchema): void {
  shared().addPrecompiled(schema);
}

/**
 * Decodes each message once; those that do not fit are settled, and are not among those handed on. What else a codec throws
 * is not the message's fault: whoever asks for its value meets that error.
 */
export async function sift(batch: Batch, schema: CompiledSchema, onInvalid: OnInvalid): Promise<Sifted> {
  const reads = new Map<StoredMessage, { readonly value: unknown } | { readonly error: unknown }>();
  const unfit: { readonly message: StoredMessage; readonly error: MemphisError }[] = [];
  const { ackWaitMs = Number.POSITIVE_INFINITY } = batch;
  let extendAtMs = Date.now() + ackWaitMs / 3;
  for (const message of batch.messages) {
    if (Date.now() >= extendAtMs) {
      // validators may ask somebody; no handler runs yet that would keep the messages
      await batch.extend(batch.messages).catch(() => {});
      extendAtMs = Date.now() + ackWaitMs / 3;
    }
    try {
      reads.set(message, { value: await schema.decode(message.data) });
    } catch (error) {
      if (isMemphisError(error, 'SCHEMA_VIOLATION')) unfit.push({ message, error });
      else reads.set(message, { error });
    }
  }
  const decode: Batch['decode'] = (message) => {
    const read = reads.get(message);
    if (read !== undefined && 'error' in read) throw read.error;
    return read;
  };
  if (unfit.length === 0 || onInvalid === 'pass') return { batch: { ...batch, decode } };
  const settled = Promise.all(
    unfit.map(({ message, error }) => {
      const reason = error.message;
      return batch.settle(
        message,
        onInvalid === 'retry' ? { action: 'retry', delayMs: RETRY_MS, reason } : { action: 'deadLetter', reason },
      );
    }),
  );
  const result = settled.then((ends) => toResult(ends, unfit));
  result.catch(() => {}); // for whoever looks at it
  const fit = batch.messages.filter((message) => reads.has(message));
  return { batch: { ...batch, messages: fit, decode }, unfit: result };
}

function toResult(
  ends: readonly Settled[],
  unfit: readonly { readonly message: StoredMessage; readonly error: MemphisError }[],
): SiftResult {
  const counts = { acked: 0, retried: 0, deadLettered: 0, givenBack: 0 };
  for (const end of ends) counts[end] += 1;
  const failures = unfit.map(({ message, error }) => ({ id: message.id, reason: error.message }));
  return { received: ends.length, ...counts, failures, error: unfit[0]?.error };
}
