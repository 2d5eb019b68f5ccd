/** Options of connecting. */

import {
  DAY_MS,
  flag,
  type Given,
  integer,
  MAX_INT,
  must,
  type OptionSpec,
  oneOf,
  optionalInteger,
  text,
} from '../option-spec.ts';
import { checkOptions } from '../resolve-options.ts';

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
      ? [...value] // what is done to theirs later must not reach a session that others share
      : must('a list of texts, with at least one'),
  parse: (raw) => raw.split(',').map((item) => item.trim()),
  fallback: undefined,
};

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

function readTls(value: unknown): Given<typeof tlsOptions> {
  if (typeof value !== 'object' || value === null) return must('true, false, or an object with ca, cert, key');
  checkOptions('tls', tlsOptions, value);
  const given: Given<typeof tlsOptions> = { ...value };
  return (given.cert === undefined) === (given.key === undefined)
    ? given
    : must('an object that has cert and key together');
}

const tls: OptionSpec<boolean | Given<typeof tlsOptions> | undefined> = {
  read: (value) => (typeof value === 'boolean' ? value : readTls(value)),
  parse: flag(true).parse as (text: string) => unknown,
  fields: tlsOptions,
  fallback: undefined,
};

/** A connection that was made elsewhere: what `fromNats` of `memphis-serverless/nats` returns. */
export interface GivenConnection {
  /** @internal */
  readonly open: (options: { readonly timeoutMs: number }) => object;
}

const givenConnection: OptionSpec<GivenConnection | undefined> = {
  read: (value) =>
    typeof (value as Partial<GivenConnection> | null)?.open === 'function'
      ? (value as GivenConnection)
      : must("what fromNats of 'memphis-serverless/nats' returns"),
  fallback: undefined,
};

/** `connect`, and the connection part of every wrapper. */
export const connectOptions = {
  /** In place of servers, credentials and TLS, which are not looked at then. */
  connection: givenConnection,
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
