/** Options of stations and of their schemas. */

import { DAY_MS, MAX_INT, must, off, on, type ReadSpec, text, texts } from '../option-spec.ts';

/** A name that may be '', as the Memphis SDKs write "none"; its rules are checked where it is used. */
const nameOrNone: ReadSpec<string> = {
  read: (value) => (typeof value === 'string' ? value : must("a text; '' means none")),
  parse: (raw) => raw,
  fallback: '',
};

/** `createStation`. */
export const stationOptions = {
  /** Partitions; a message of a key always goes to the same one. @default 1 */
  partitionsNumber: { min: 1, max: 10_000, fallback: 1 },
  /**
   * What ends a message's life: its age in seconds, the number of messages, their bytes, or that all groups have
   * acked it.
   *
   * @default 'message_age_sec'
   */
  retentionType: { values: ['message_age_sec', 'messages', 'bytes', 'ack_based'], fallback: 'message_age_sec' },
  /** Seconds, messages or bytes, for each partition; of no meaning for `ack_based`. @default 3600 */
  retentionValue: { min: 1, max: MAX_INT, fallback: 3_600 },
  /** Where the broker keeps messages. @default 'file' */
  storageType: { values: ['file', 'memory'], fallback: 'file' },
  /** Copies in a cluster, 1 to 5. @default 1 */
  replicas: { min: 1, max: 5, fallback: 1 },
  /**
   * Milliseconds in which a second message of one `msgId` is not stored. Left out: 2 minutes, or the retention where
   * that is shorter.
   */
  idempotencyWindowMs: { min: 100, max: DAY_MS },
  /** A schema that exists, which messages have to satisfy; `''`: none. @default '' */
  schemaName: nameOrNone,
  /** Off: what would be a dead letter is dropped. @default true */
  sendPoisonMsgToDls: on,
  /** Off: what a producer is refused because of the schema is not kept among the dead letters. @default true */
  sendSchemaFailedMsgToDls: on,
  /** A station that gets a copy of each dead letter, made with defaults where it is missing; `''`: none. @default '' */
  dlsStation: nameOrNone,
  /** Not on JetStream, which has none: `true` is refused with `UNSUPPORTED`. @default false */
  tieredStorageEnabled: off,
} as const;

export const DEFAULT_IDEMPOTENCY_WINDOW_MS = 120_000;

/** `createSchema`. */
export const schemaOptions = {
  /** Of protobuf: which message the station's are; left out: the first of the file. */
  messageName: text,
  /** Of protobuf: what the source imports, text by path; what comes with protobuf itself need not be here. */
  imports: texts,
} as const;
