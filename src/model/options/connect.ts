/** Options of connecting. */

import { DAY_MS, type Given, MAX_INT, must, off, on, parseFlag, type ReadSpec, text } from '../option-spec.ts';
import { checkOptions } from '../resolve-options.ts';

/** A secret: text, or a function that is asked at each dial. */
export type Secret = string | (() => string | Promise<string>);

const secret: ReadSpec<Secret | undefined> = {
  read: (value) =>
    (typeof value === 'string' && value !== '') || typeof value === 'function'
      ? (value as Secret)
      : must('a text that is not empty, or a function that returns one'),
  parse: (raw) => raw,
  keepsBlanks: true,
};

const texts: ReadSpec<readonly string[] | undefined> = {
  read: (value) =>
    Array.isArray(value) && value.length > 0 && [...value].every((item) => typeof item === 'string' && item !== '')
      ? [...value] // what is done to theirs later must not reach a session that others share
      : must('a list of texts, with at least one'),
  parse: (raw) => raw.split(',').map((item) => item.trim()),
};

/** The fields of `tls`. Certificates and keys are PEM text, or the path of a file with it, which is read at each dial. */
export const tlsOptions = {
  /** Who may have signed the server's certificate; left out: the authorities that Node trusts. */
  ca: text,
  /** The client's own certificate, where the server asks for one. */
  cert: text,
  key: text,
  /** The name that the server's certificate must bear; left out: the host that is dialled. */
  serverName: text,
  /** Nothing of the server is believed before TLS: for servers with `handshake_first`, which need not be told otherwise. */
  handshakeFirst: off,
} as const;

function readTls(value: unknown): Given<typeof tlsOptions> {
  if (typeof value !== 'object' || value === null) return must('true, false, or an object with ca, cert, key');
  checkOptions('tls', tlsOptions, value);
  const given: Given<typeof tlsOptions> = { ...value };
  return (given.cert === undefined) === (given.key === undefined)
    ? given
    : must('an object that has cert and key together');
}

const tls: ReadSpec<boolean | Given<typeof tlsOptions> | undefined> = {
  read: (value) => (typeof value === 'boolean' ? value : readTls(value)),
  parse: parseFlag,
  fields: tlsOptions,
};

/** A connection that was made elsewhere: what `fromNats` of `memphis-serverless/nats` returns. */
export interface GivenConnection {
  /** @internal */
  readonly open: (options: { readonly timeoutMs: number }) => object;
}

const givenConnection: ReadSpec<GivenConnection | undefined> = {
  read: (value) =>
    typeof (value as Partial<GivenConnection> | null)?.open === 'function'
      ? (value as GivenConnection)
      : must("what fromNats of 'memphis-serverless/nats' returns"),
};

/** `connect`, and the connection part of every wrapper. */
export const connectOptions = {
  /** In place of servers, credentials and TLS, which are not looked at then. */
  connection: givenConnection,
  /** `nats://`, `tls://`, `memphis://` or bare `host:port`, may carry `user:password@`; one that answers is used. */
  servers: texts,
  host: text,
  /** Without one: 6666, and 4222 behind `nats://` and `tls://`. */
  port: { min: 1, max: 65_535 },
  username: text,
  password: secret,
  connectionToken: secret,
  /** What a `.creds` file holds, or the path of one, which is read at each dial. */
  creds: secret,
  /** The seed of an NKEY user, or the path of a file with one, which is read at each dial. */
  nkey: secret,
  /** `true` or settings: TLS or nothing. `false`: plaintext is meant. Left out: what the server asks for. */
  tls,
  /** Of a Memphis broker; an open-source one has no other. */
  accountId: { min: 1, max: MAX_INT, fallback: 1 },
  broker: { values: ['auto', 'jetstream', 'memphis'], fallback: 'auto' },
  /** Makes a station with defaults when it is missing as somebody produces or reads, as the broker of Memphis does. */
  createStationOnFirstUse: off,
  /** Whether a lost connection is dialled again; the first dial is not concerned. */
  reconnect: on,
  /** Dials in a row before an operation gives up. */
  maxReconnect: { min: 0, max: 1_000_000, fallback: 10 },
  reconnectIntervalMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  /** For one dial, credentials included. */
  timeoutMs: { min: 1, max: DAY_MS, fallback: 15_000 },
} as const;

/** `connect`: these beside those of `connectOptions`. */
export const clientOptions = {
  /** The HTTP API of a Memphis broker, for its dead letters; may carry `user:password@`. Left out: port 9000 of the first server. */
  apiUrl: text,
} as const;
