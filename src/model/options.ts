/**
 * Every option with its default, range and unit, in tables (`resolve-options.ts` reads them).
 * An option's environment variable is its name in capitals behind `MEMPHIS_`: `batchSize` is `MEMPHIS_BATCH_SIZE`.
 */

import type { MemphisError } from './errors.ts';
import { isRecord } from './fields.ts';
import {
  callback,
  flag,
  type Given,
  integer,
  must,
  type OptionSpec,
  oneOf,
  optionalInteger,
  text,
  textsByName,
} from './option-spec.ts';
import type { FailedMessage } from './receipt.ts';
import { checkOptions } from './resolve-options.ts';
import type { SchemaReader } from './schema-reader.ts';
import type { StandardSchema } from './standard-schema.ts';

/** A secret: text, or a function that is asked at each dial. */
export type Secret = string | (() => string | Promise<string>);

const secret: OptionSpec<Secret | undefined> = {
  read: (value) =>
    (typeof value === 'string' && value !== '') || typeof value === 'function'
      ? (value as Secret)
      : must('a text that is not empty, or a function that returns one'),
  parse: (raw) => raw,
  keepsBlanks: true,
  fallback: undefined,
};
const texts: OptionSpec<readonly string[] | undefined> = {
  read: (value) =>
    Array.isArray(value) && value.length > 0 && [...value].every((item) => typeof item === 'string' && item !== '')
      ? (value as readonly string[])
      : must('a list of texts, with at least one'),
  parse: (raw) => raw.split(',').map((item) => item.trim()),
  fallback: undefined,
};
/** A name that may be '', as the Memphis SDKs write "none"; its rules are checked where it is used. */
const nameOrNone: OptionSpec<string> = {
  read: (value) => (typeof value === 'string' ? value : must("a text; '' means none")),
  parse: (raw) => raw,
  fallback: '',
};

const isExpiry = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= -1;

const DAY_MS = 86_400_000;
const MAX_INT = 2_147_483_647; // station settings are 32 bit wide in a Memphis broker (memphis-wire 8.1)

/** The fields of `tls`. Certificates and keys are PEM text, or the path of a file with it, which is read at each dial. */
export const tlsOptions = {
  /** Who may have signed the server's certificate; left out: the authorities that Node trusts. */
  ca: text<undefined>(undefined),
  /** The client's own certificate, where the server asks for one. */
  cert: text<undefined>(undefined),
  key: text<undefined>(undefined),
  /** The name that the server's certificate must bear; left out: the host that is dialled. */
  serverName: text<undefined>(undefined),
  /** Nothing of the server is believed before TLS: for servers with `handshake_first`, which need not be told otherwise. */
  handshakeFirst: flag(false),
} as const;

const tls: OptionSpec<boolean | Given<typeof tlsOptions> | undefined> = {
  read: (value) => {
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'object' || value === null) return must('true, false, or an object with ca, cert, key');
    checkOptions('tls', tlsOptions, value);
    const given: Given<typeof tlsOptions> = value;
    return (given.cert === undefined) === (given.key === undefined)
      ? given
      : must('an object that has cert and key together');
  },
  parse: flag(true).parse as (text: string) => unknown,
  fields: tlsOptions,
  fallback: undefined,
};

/** `connect`, and the connection part of every wrapper. */
export const connectOptions = {
  /** `nats://`, `tls://`, `memphis://` or bare `host:port`, may carry `user:password@`; one that answers is used. */
  servers: texts,
  host: text<undefined>(undefined),
  /** Without one: 6666, and 4222 behind `nats://` and `tls://`. */
  port: optionalInteger(1, 65_535),
  username: text<undefined>(undefined),
  password: secret,
  connectionToken: secret,
  /** What a `.creds` file holds, or the path of one, which is read at each dial. */
  creds: secret,
  /** The seed of an NKEY user, or the path of a file with one, which is read at each dial. */
  nkey: secret,
  /** `true` or settings: TLS or nothing. `false`: plaintext is meant. Left out: what the server asks for. */
  tls,
  /** Of a Memphis broker; an open-source one has no other. */
  accountId: integer(1, MAX_INT, 1),
  broker: oneOf(['auto', 'jetstream', 'memphis'], 'auto'),
  /** Makes a station with defaults when it is missing as somebody produces or reads, as the broker of Memphis does. */
  createStationOnFirstUse: flag(false),
  /** Whether a lost connection is dialled again; the first dial is not concerned. */
  reconnect: flag(true),
  /** Dials in a row before an operation gives up. */
  maxReconnect: integer(0, 1_000_000, 10),
  reconnectIntervalMs: integer(0, DAY_MS, 1_000),
  /** For one dial, credentials included. */
  timeoutMs: integer(1, DAY_MS, 15_000),
} as const;

/** `connect`: these beside those of `connectOptions`. */
export const clientOptions = {
  /** The HTTP API of a Memphis broker, for its dead letters; may carry `user:password@`. Left out: port 9000 of the first server. */
  apiUrl: text<undefined>(undefined),
} as const;

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

/** Told of a message that was produced without waiting and is not stored. What it throws leaves the failure untaken. */
export type OnProduceError = (error: MemphisError, failed: FailedMessage) => unknown;

/** A codec or a validator, as `memphis-serverless/schemas/...` have them. */
const schemaReader: OptionSpec<SchemaReader | undefined> = {
  read: (value) =>
    typeof (value as Partial<SchemaReader> | null)?.covers === 'function'
      ? (value as SchemaReader)
      : must("a codec or a validator, as 'memphis-serverless/schemas/...' have them"),
  fallback: undefined,
};

/** `createSchema`. */
export const schemaOptions = {
  /** Of protobuf: which message the station's are; left out: the first of the file. */
  messageName: text<undefined>(undefined),
  /** Of protobuf: what the source imports, text by path; what comes with protobuf itself need not be here. */
  imports: textsByName<undefined>(undefined),
} as const;

/** `createProducer`. */
export const producerOptions = {
  /** Shown by tools; lower case. */
  name: text('memphis-serverless'),
  /** Makes the name unlike any other: `_` and eight random hexadecimal digits. */
  genUniqueSuffix: flag(false),
  ackWaitMs: integer(1, DAY_MS, 15_000),
  /** Takes the failures of what is produced with `async`; left out: `flush()`, `destroy()` or `close()` throws them. */
  onError: callback<OnProduceError>(),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
} as const;

/** `producer.produce` and `memphis.produce`. */
export const produceOptions = {
  /** Without one: the producer's. */
  ackWaitMs: optionalInteger(1, DAY_MS),
  headers: textsByName<undefined>(undefined),
  msgId: text<undefined>(undefined),
  partitionKey: text<undefined>(undefined),
  partition: optionalInteger(1, 10_000),
  /** Resolve when the message is written, not when it is stored. */
  async: flag(false),
  /** Takes the failure of this one, with `async`. Without one: the producer's. */
  onError: callback<OnProduceError>(),
} as const;

/** `producer.produceBatch` and `memphis.produceBatch`. */
export const produceBatchOptions = {
  /** For each message, from when it is sent. Without one: the producer's. */
  ackWaitMs: optionalInteger(1, DAY_MS),
  /** Called once for each message: its `headers`, `msgId`, `partitionKey` and `partition`. */
  optionsFor: callback<(message: never, index: number) => unknown>(),
} as const;

/** `createConsumer`, `fetchMessages`, and part of `withMemphis`: how a group is read. */
export const readerOptions = {
  /** A stream that exists already, in place of a station; its settings and those of its groups are never changed. */
  stream: text<undefined>(undefined),
  /** Which messages of that stream; left out: all, or what the group says. */
  filterSubject: text<undefined>(undefined),
  group: text<undefined>(undefined),
  batchSize: integer(1, 5_000, 10),
  /** How long a fetch waits for the first message. */
  batchMaxWaitMs: integer(0, DAY_MS, 5_000),
  /** Time to settle a message before the broker delivers it again. */
  maxAckTimeMs: integer(100, DAY_MS, 30_000),
  /** How often a handler may see a message before it goes to the dead letters. */
  maxMsgDeliveries: integer(1, 1_000_000, 10),
  /** Where a group begins that does not exist yet: at this sequence of each partition. */
  startConsumeFromSequence: integer(1, Number.MAX_SAFE_INTEGER, 1),
  /** Where a group begins that does not exist yet: so many before the end of each partition; -1: does not say. */
  lastMessages: integer(-1, Number.MAX_SAFE_INTEGER, -1),
  /** Each partition hands out one message at a time, so that redeliveries are not overtaken. */
  ordered: flag(false),
  /** A codec for the station's schema, or a validator in its place; left out: the codecs that were imported. */
  schema: schemaReader,
  /** What becomes of a message that does not fit the schema; `pass`: handed out, read as if there were none. */
  onInvalid: oneOf(['deadLetter', 'retry', 'pass'], 'deadLetter'),
} as const;

/** `createConsumer`: these beside those of `readerOptions`. */
export const consumerOptions = {
  /** The group where none is given, as in the Memphis SDKs. */
  name: text<undefined>(undefined),
  /** Makes the name unlike any other. */
  genUniqueSuffix: flag(false),
  /** `consume` and `for await`: the shortest time from one empty fetch to the next. */
  pullIntervalMs: integer(0, DAY_MS, 1_000),
  /** `consume`: told what handler and fetches throw; left out: a warning of the process. */
  onError: callback<(error: unknown) => void>(),
} as const;

/** `consumer.consume`. */
export const consumeOptions = {
  /** Handed to the handler as its second argument: anything. */
  context: { read: (value: unknown) => value, fallback: undefined } as OptionSpec<unknown>,
} as const;

/** `consumer.fetch` and `fetchMessages`. */
export const fetchOptions = {
  batchSize: optionalInteger(1, 5_000),
  batchMaxWaitMs: optionalInteger(0, DAY_MS),
  partition: optionalInteger(1, 10_000),
  partitionKey: text<undefined>(undefined),
} as const;

/** Dead letters of a station; each of their methods takes those of these that it names. */
export const deadLetterOptions = {
  /** Those of one group; left out: of all. */
  group: text<undefined>(undefined),
  /** How many a list holds at most. */
  limit: integer(1, 1_000, 100),
  /** A list begins behind this id. */
  after: integer(0, Number.MAX_SAFE_INTEGER, 0),
  /** Where they are put back: for the group that each came from, or into the station, for all groups. */
  to: oneOf(['group', 'station'], 'group'),
  /** Told after each step of long work how many are done, and of how many; what it throws ends the work; awaited. */
  onProgress: callback<(done: number, total: number) => unknown>(),
} as const;

/** `withMemphis`: these beside those of `connectOptions`. */
export const consumerFunctionOptions = {
  station: text<undefined>(undefined),
  ...readerOptions,
  /** A pull takes what is there; on an empty station it waits this long. */
  batchMaxWaitMs: integer(0, 900_000, 0),
  /** Go on until the station is empty, `maxBatches`, or the deadline reserve. */
  drain: flag(false),
  /** Batches of one invocation when draining; left out: no limit. */
  maxBatches: optionalInteger(1, 1_000_000),
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. */
  deadlineReserveMs: optionalInteger(0, 900_000),
  /** When all messages of a pulled batch failed, the invocation fails too, so that alarms fire. */
  failWhenAllFail: flag(true),
  /** Start to dial while the module loads. */
  prefetch: flag(false),
  /** Delay of the first retry after an ordinary error; doubles from there. */
  backoffBaseMs: integer(0, DAY_MS, 1_000),
  backoffMaxMs: integer(0, DAY_MS, 300_000),
} as const;

/** `each`. */
export const eachOptions = {
  /** Calls at the same time. */
  concurrency: integer(1, 10_000, 10),
  /** Whose order is kept while others run in parallel: a partition's, a key's, or what a function makes of a message. */
  orderedBy: {
    read: (value: unknown) =>
      value === 'partition' || value === 'partitionKey' || typeof value === 'function'
        ? (value as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined))
        : must("'partition', 'partitionKey' or a function"),
    fallback: undefined as 'partition' | 'partitionKey' | ((message: never) => string | number | undefined) | undefined,
  },
} as const;

const producingOptions = {
  station: text<undefined>(undefined),
  /** Shown by tools; lower case. */
  producerName: text('memphis-serverless'),
  ackWaitMs: integer(1, DAY_MS, 15_000),
  prefetch: flag(false),
} as const;

/** `withProducer`: these beside those of `connectOptions`. */
export const producerFunctionOptions = {
  ...producingOptions,
  /** Takes the failures of what is produced with `async`; left out: the invocation fails. */
  onError: callback<OnProduceError>(),
} as const;

/** `memphisConsumer` and `memphisProducer`: the words of Middy's `rds` middleware, beside ours. */
export const middyOptions = {
  /** Do not dial while the module loads. */
  disablePrefetch: flag(true),
  /** A name on the context for what the middleware gives. */
  contextKey: text<undefined>(undefined),
  /** Where another middleware has put the password or the token: a name in `request.internal`, steps behind dots. */
  internalKey: text<undefined>(undefined),
  /** Tells connections of one configuration apart. */
  cacheKey: text<undefined>(undefined),
  /** -1: kept; 0: closed when the invocation ends; up to a day: closed at that age; above: at that Unix time in ms. */
  cacheExpiry: integer(-1, Number.MAX_SAFE_INTEGER, -1),
  /** `cacheExpiry` by `cacheKey`. */
  cacheKeyExpiry: {
    read: (value: unknown) =>
      typeof value === 'object' && value !== null && Object.values(value).every((item) => isExpiry(item))
        ? (value as Readonly<Record<string, number>>)
        : must('an object of whole numbers from -1 up'),
    fallback: undefined as Readonly<Record<string, number>> | undefined,
  },
} as const;

/** Where a request carries the partition key: exactly one of the three, with the name to look under. */
export type KeyPlace = { readonly header: string } | { readonly path: string } | { readonly query: string };

const isName = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Names that a message header may have and that toolkit and server do not keep for themselves. */
const isPassableHeader = (value: unknown): boolean =>
  typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value) && !/^(\$memphis|nats-)/i.test(value);

/** `produceHandler`: these beside those of `connectOptions`. */
export const produceHandlerOptions = {
  ...producingOptions,
  /** Time to store, the dial included; cut to what the invocation has left, and to what a gateway waits. */
  ackWaitMs: integer(1, DAY_MS, 5_000),
  /** Any Standard Schema validator; bodies must be JSON then. */
  schema: {
    read: (value: unknown) => {
      const held = (typeof value === 'object' || typeof value === 'function') && value !== null;
      const standard = held ? (value as Partial<StandardSchema>)['~standard'] : undefined;
      if (typeof standard?.validate === 'function' && standard.version === 1) return value as StandardSchema;
      return must('a validator that speaks Standard Schema 1 (zod, valibot, arktype, ...)');
    },
    fallback: undefined as StandardSchema | undefined,
  },
  partitionKey: {
    read: (value: unknown) => {
      const [place, ...more] = isRecord(value) ? Object.entries(value) : [];
      const isOne = place !== undefined && more.length === 0;
      if (isOne && ['header', 'path', 'query'].includes(place[0]) && isName(place[1])) return value as KeyPlace;
      return must('{ header: name }, { path: name } or { query: name }');
    },
    fallback: undefined as KeyPlace | undefined,
  },
  /** A body is a JSON array and each element a message. */
  batch: flag(false),
  /** Names of request headers that become message headers. */
  headers: {
    read: (value: unknown) =>
      Array.isArray(value) && [...value].every(isPassableHeader)
        ? (value as readonly string[])
        : must('a list of header names, none of them reserved ($memphis..., Nats-...)'),
    fallback: [] as readonly string[],
  },
} as const;

/** One mapping of the poller: a station and a group on one side, a function on the other. Words of AWS where AWS has one. */
export const mappingOptions = {
  /** Shown in reports; lower case, no two alike. */
  name: text<undefined>(undefined),
  station: text<undefined>(undefined),
  /** A stream that exists already, in place of a station. */
  stream: text<undefined>(undefined),
  filterSubject: text<undefined>(undefined),
  group: text<undefined>(undefined),
  /** Name, `name:alias` or ARN. */
  functionName: text<undefined>(undefined),
  /** Messages of one invocation, at most. */
  batchSize: integer(1, 5_000, 10),
  /** How long to go on gathering after a first message. */
  batchWindowMs: integer(0, 300_000, 0),
  /** Invocations at the same time, per poller. */
  maximumConcurrency: integer(1, 1_000, 5),
  /** Whether the function's answer is read; else all that did not fail as a whole is done. */
  reportBatchItemFailures: flag(true),
  /** Deliveries after the first one, before a message goes to the dead letters. */
  maximumRetryAttempts: integer(0, 10_000, 9),
  /** Time to settle a message before the broker delivers it again; extended while the function runs. */
  maxAckTimeMs: integer(100, DAY_MS, 30_000),
  /** Delay of the first retry; doubles from there. */
  backoffBaseMs: integer(0, DAY_MS, 1_000),
  backoffMaxMs: integer(0, DAY_MS, 300_000),
  /** A mapping that is off is left out of the run. */
  enabled: flag(true),
} as const;

/** `run` of a poller. */
export const pollerRunOptions = {
  /** Ends the run when it aborts. Left out: it goes on. */
  signal: {
    read: (value: unknown) => (value instanceof AbortSignal ? value : must('an AbortSignal')),
    fallback: undefined as AbortSignal | undefined,
  },
} as const;

/** `createPoller` and `pollerHandler`, beside mappings, connection and Lambda client. */
export const pollerOptions = {
  /** How long invocations under way may go on once the run is told to stop; then their messages go back. */
  stopTimeoutMs: integer(0, 900_000, 30_000),
  /** End the run when all stations were empty and nothing was under way for so long; left out: never. */
  idleExitMs: optionalInteger(0, DAY_MS),
  /** Time kept back to settle; left out: a tenth of what remains, at least a second. For `pollerHandler`. */
  deadlineReserveMs: optionalInteger(0, 900_000),
} as const;
