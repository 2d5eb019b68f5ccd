/** The port through which producers write and batches are read by schemas. */

import type { Batch } from './batch.ts';
import type { Broker, OutgoingMessage } from './broker.ts';
import type { CompiledSchema, StationSchema } from './schema.ts';

/** What becomes of a message that does not fit the schema of its station. */
export type OnInvalid = 'deadLetter' | 'retry' | 'pass';

/** A batch without its messages that do not fit. */
export interface Sifted {
  readonly batch: Batch;
  /** What became of the others, once that is confirmed; absent where all fit. May reject unheard. */
  readonly unfit?: Promise<SiftResult>;
}

/** What became of messages that do not fit; the counts add up to `received`. */
export interface SiftResult {
  readonly received: number;
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly givenBack: number;
  readonly failures: readonly { readonly id: string; readonly reason: string }[];
  readonly error: unknown;
}

/** Writes a message as its station wants it. @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION` once it is set aside */
export type Encode = (letter: OutgoingMessage, message: unknown, timeoutMs: number) => Promise<Uint8Array>;

/** Where messages go that are written by a schema. */
export interface Destination {
  readonly broker: Broker;
  readonly station: string;
  /** How a message is written that no schema counts for. @throws MemphisError `INVALID_MESSAGE` */
  toBytes(message: unknown): Uint8Array;
  /** The same question once more: the station's schema is another one by now. */
  again(patienceMs: number): Promise<Encode | undefined>;
}

/** Writes and reads messages by schemas: those registered in a process, or what a caller hands in. */
export interface SchemaReader {
  /** Whether it reads this one; nothing: the station has none. */
  covers(schema: StationSchema | undefined): boolean;
  /** @throws MemphisError `SCHEMA_INVALID`, `DEPENDENCY_MISSING` */
  open(schema: StationSchema | undefined): Promise<CompiledSchema>;
  /** @throws MemphisError as `open` */
  encoder(schema: StationSchema | undefined, to: Destination): Promise<Encode>;
  /** Decodes; settles those that do not fit as told. */
  sift(batch: Batch, onInvalid: OnInvalid): Promise<Sifted>;
  /**
   * Checks a schema that is to be made, more thoroughly than one that is in use.
   *
   * @returns what the broker shall keep beside it
   * @throws MemphisError `SCHEMA_INVALID`, `DEPENDENCY_MISSING`
   */
  prepare(schema: StationSchema): Promise<Partial<StationSchema>>;
}
