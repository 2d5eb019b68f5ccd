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
  /** The private key of `cert`. */
  key: text,
  /** The name that the server's certificate must bear; left out: the host that is dialled. */
  serverName: text,
  /**
   * Nothing the server says is believed before TLS. For servers with `handshake_first`, which work without it too.
   *
   * @default false
   */
  handshakeFirst: off,
} as const;

/** Settings of TLS: `tls` of `connect` and of every wrapper. */
export interface TlsSettings extends Given<typeof tlsOptions> {}

function readTls(value: unknown): TlsSettings {
  if (typeof value !== 'object' || value === null) return must('true, false, or an object with ca, cert, key');
  checkOptions('tls', tlsOptions, value);
  const given: TlsSettings = { ...value };
  return (given.cert === undefined) === (given.key === undefined)
    ? given
    : must('an object that has cert and key together');
}

const tls: ReadSpec<boolean | TlsSettings | undefined> = {
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
  /** A connection of the official NATS client (`fromNats`), in place of servers, credentials and TLS. */
  connection: givenConnection,
  /** `nats://`, `tls://`, `memphis://` or bare `host:port`; may carry `user:password@`. One that answers is used. */
  servers: texts,
  /** One server, in place of `servers`. */
  host: text,
  /** Left out: 4222 behind `nats://` and `tls://`, else 6666. */
  port: { min: 1, max: 65_535 },
  /** The user that `password` belongs to. */
  username: text,
  /** The password of `username`, or a function that is asked for it at each dial. */
  password: secret,
  /** A token in place of user and password, or a function that is asked for it at each dial. */
  connectionToken: secret,
  /** The text of a `.creds` file, the path of one, or a function that returns either. Read at each dial. */
  creds: secret,
  /** The seed of an NKEY user, the path of a file with one, or a function that returns either. Read at each dial. */
  nkey: secret,
  /** `true` or settings: TLS or nothing. `false`: plaintext is meant. Left out: what the server asks for. */
  tls,
  /** The account of a Memphis broker's user; an open-source broker has no other. @default 1 */
  accountId: { min: 1, max: MAX_INT, fallback: 1 },
  /**
   * `'auto'` goes by the broker's greeting; `'jetstream'` or `'memphis'` insists, which with `tls` stated saves a round trip.
   *
   * @default 'auto'
   */
  broker: { values: ['auto', 'jetstream', 'memphis'], fallback: 'auto' },
  /** Create a missing station with defaults when it is first used, in place of `STATION_NOT_FOUND`. @default false */
  createStationOnFirstUse: off,
  /** Whether a lost connection is dialled again; the first dial is not concerned. @default true */
  reconnect: on,
  /** Repeated dials before an operation gives up. @default 10 */
  maxReconnect: { min: 0, max: 1_000_000, fallback: 10 },
  /** The longest wait between two of these, in milliseconds. @default 1000 */
  reconnectIntervalMs: { min: 0, max: DAY_MS, fallback: 1_000 },
  /** Milliseconds for one dial, credentials and all servers included. @default 15000 */
  timeoutMs: { min: 1, max: DAY_MS, fallback: 15_000 },
} as const;

/** `connect`: these beside those of `connectOptions`. */
export const clientOptions = {
  /**
   * The HTTP API of a Memphis broker, for its dead letters: `http://user:password@host:9000`. Left out: port 9000 of
   * the first server, with the credentials of the connection.
   */
  apiUrl: text,
} as const;
