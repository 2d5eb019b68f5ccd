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
  partitionsNumber: { min: 1, max: 10_000, fallback: 1 },
  retentionType: { values: ['message_age_sec', 'messages', 'bytes', 'ack_based'], fallback: 'message_age_sec' },
  /** Seconds, messages or bytes, by `retentionType`; of no meaning for `ack_based`. Per partition. */
  retentionValue: { min: 1, max: MAX_INT, fallback: 3_600 },
  storageType: { values: ['file', 'memory'], fallback: 'file' },
  replicas: { min: 1, max: 5, fallback: 1 },
  /** Left out: two minutes, or the retention where that is shorter. */
  idempotencyWindowMs: { min: 100, max: DAY_MS },
  /** A schema that exists; '' for none. */
  schemaName: nameOrNone,
  sendPoisonMsgToDls: on,
  sendSchemaFailedMsgToDls: on,
  /** The station that gets a copy of each dead letter; made with defaults where it is missing. */
  dlsStation: nameOrNone,
  /** Not with JetStream. */
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
