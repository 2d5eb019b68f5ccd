/** Options of stations and of their schemas. */

import {
  DAY_MS,
  flag,
  integer,
  MAX_INT,
  must,
  type OptionSpec,
  oneOf,
  optionalInteger,
  text,
  textsByName,
} from '../option-spec.ts';

/** A name that may be '', as the Memphis SDKs write "none"; its rules are checked where it is used. */
const nameOrNone: OptionSpec<string> = {
  read: (value) => (typeof value === 'string' ? value : must("a text; '' means none")),
  parse: (raw) => raw,
  fallback: '',
};

/** `createStation`. */
export const stationOptions = {
  partitionsNumber: integer(1, 10_000, 1),
  retentionType: oneOf(['message_age_sec', 'messages', 'bytes', 'ack_based'], 'message_age_sec'),
  /** Seconds, messages or bytes, by `retentionType`; of no meaning for `ack_based`. Per partition. */
  retentionValue: integer(1, MAX_INT, 3_600),
  storageType: oneOf(['file', 'memory'], 'file'),
  replicas: integer(1, 5, 1),
  /** Left out: two minutes, or the retention where that is shorter. */
  idempotencyWindowMs: optionalInteger(100, DAY_MS),
  /** A schema that exists; '' for none. */
  schemaName: nameOrNone,
  sendPoisonMsgToDls: flag(true),
  sendSchemaFailedMsgToDls: flag(true),
  /** The station that gets a copy of each dead letter; made with defaults where it is missing. */
  dlsStation: nameOrNone,
  /** Not with JetStream. */
  tieredStorageEnabled: flag(false),
} as const;

export const DEFAULT_IDEMPOTENCY_WINDOW_MS = 120_000;

/** `createSchema`. */
export const schemaOptions = {
  /** Of protobuf: which message the station's are; left out: the first of the file. */
  messageName: text<undefined>(undefined),
  /** Of protobuf: what the source imports, text by path; what comes with protobuf itself need not be here. */
  imports: textsByName<undefined>(undefined),
} as const;
