/**
 * The connection port: core NATS verbs and nothing else, so that a second implementation is one folder.
 * One connection is one session: it never reconnects by itself. Replacing it is `link.ts`'s business.
 */

/** Header names and values in wire order; a name may come more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[];
/** The same as the text that is sent: `Name: value\r\n` for each. Whoever makes it vouches for names and values. */
export type HeaderLines = string;

/** One message off the wire. */
export interface Frame {
  readonly subject: string;
  /** Where an answer goes; '' when none is expected. */
  readonly reply: string;
  readonly headers: HeaderList;
  /** The status of the header line (`NATS/1.0 503`); 0 when there is none. */
  readonly status: number;
  readonly statusText: string;
  readonly data: Uint8Array;
  /** The payload's bytes as Latin-1 text; left out where `data` is at hand already. */
  readonly latin1?: string;
}

/** What the server's first INFO line said, as far as anybody here needs it. */
export interface ServerInfo {
  readonly serverName: string;
  readonly version: string;
  readonly maxPayload: number;
  readonly jetstream: boolean;
  /** The API level of JetStream; 0 where INFO has none (before 2.12). */
  readonly apiLevel: number;
  /** INFO has the key `connection_id`: a Memphis broker. */
  readonly isMemphis: boolean;
}

/** Frames of one subject, handed over as they arrive. */
export interface Subscription {
  /** Where it listens: the inbox that was made when none was named. */
  readonly subject: string;
  /**
   * Ends it without losing what is under way: frames that the server sent before it heard of it are still
   * handed over. Resolves when the server has confirmed, or the connection is gone. Never rejects.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Ends it at once: for a subscription on which nothing is under way any more. */
  end(): void;
}

/** What a session tells a Memphis broker of itself; its requests name both (memphis-wire 1.4). */
export interface ClientIdentity {
  /** Unlike that of any other session: a late end of an earlier one must not meet the rows of this one. */
  readonly connectionId: string;
  /** Lower case. */
  readonly username: string;
}

/** How long an answer is waited for, and what is sent beside the payload. */
export interface RequestOptions {
  readonly timeoutMs: number;
  readonly headers?: HeaderList | HeaderLines;
}

/** A request that makes its result of the answer by itself. */
export interface Asking<T> extends RequestOptions {
  /** Called as the answer arrives; what it throws is thrown. */
  read(frame: Frame): T | Promise<T>;
}

/** One session with one server. Writes of one tick leave together, but for very many bytes. */
export interface Connection {
  readonly identity: ClientIdentity;
  /**
   * Resolves when what is written from now on leaves at once, behind CONNECT: the server may still refuse the credentials.
   * Rejects when opening failed. Requests may be made before.
   */
  readonly opened: Promise<void>;
  /** Resolves when the server has accepted the credentials; rejects when opening failed. */
  readonly accepted: Promise<void>;
  /** Whether it has. */
  readonly isAccepted: boolean;
  /** Resolves when the first INFO is there; rejects when opening failed. */
  readonly info: Promise<ServerInfo>;
  /** The same, as soon as it is there: what is answered on this session is answered behind it. */
  readonly said: ServerInfo | undefined;
  /** When the server was last heard, by the wall clock (`Date.now()`) and the monotonic one (`monotonicMs`). */
  readonly heardAt: { readonly wall: number; readonly monotonic: number };
  /** The shortest round trip that was seen so far. */
  readonly rttMs: number;
  /** Resolves when the session has ended, whoever ended it: with the reason, or nothing after `close()`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Whether it has ended. */
  readonly isClosed: boolean;
  /** Whether the server is about to go (lame duck): it still answers, but nothing new should be begun on it. Set by whoever hears of it otherwise. */
  isLeaving: boolean;
  /** `host:port` of all servers of its cluster, as its newest INFO names them; empty where it stands alone. */
  readonly peers: readonly string[];
  /** Writes a message. @throws MemphisError `CONNECTION_LOST` on a session that has ended, or is being left */
  publish(
    subject: string,
    data: Uint8Array,
    options?: { readonly reply?: string; readonly headers?: HeaderList },
  ): void;
  /** The same ASCII text to many subjects, each of which came off the wire. @throws as `publish` */
  publishAll(subjects: readonly string[], text: string): void;
  /**
   * Writes a message and waits for the first frame in answer, whatever its status (503: nobody listens).
   *
   * @throws MemphisError `TIMEOUT`, `CONNECTION_LOST`, `PERMISSION_DENIED`
   */
  request<T>(subject: string, data: Uint8Array, asking: Asking<T>): Promise<T>;
  request(subject: string, data: Uint8Array, options: RequestOptions): Promise<Frame>;
  /**
   * Listens on a subject, or on a new inbox when it is empty.
   *
   * @param max ends the subscription after so many frames
   * @param onEnd called once, when no frame can come any more: drained, `max` reached, or the session ended
   */
  subscribe(
    subject: string,
    options: { readonly max?: number; onFrame(frame: Frame): void; onEnd?(error?: Error): void },
  ): Subscription;
  /**
   * A limit of time for what comes on this session; its end goes with the session's. See `time-limit.ts`.
   *
   * @param onOver called when the time is over and what had arrived has been read
   * @returns ends it
   */
  startLimit(ms: number, onOver: () => void): () => void;
  /** Resolves when the server has read all that was written. @throws MemphisError `TIMEOUT`, `CONNECTION_LOST`, `AUTHENTICATION_FAILED` */
  flush(timeoutMs: number): Promise<void>;
  /** Ends the session at once, or the opening of it; what was written before is sent. Never rejects. */
  close(): Promise<void>;
  /**
   * The same for one that may only be slow: requests fail at once, and nothing more can be begun, but what the server has sent to
   * those who listen is handed over first, if that takes no longer than a second.
   */
  leave(): Promise<void>;
}

/** What a server is shown. Seeds are those of NKEYs; `jwt` goes with the seed of its user. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** The name beside the token is told to Memphis brokers alone. */
  | { readonly kind: 'token'; readonly token: string; readonly username?: string }
  | { readonly kind: 'nkey'; readonly seed: string }
  | { readonly kind: 'jwt'; readonly jwt: string; readonly seed: string };

/** Certificates are PEM texts. */
export interface TlsSettings {
  /** Who may have signed the server's certificate; absent: the authorities that Node trusts. */
  readonly ca?: string | undefined;
  /** The client's own, where the server asks for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  /** Nothing of the server is believed before TLS: for servers with `handshake_first`. */
  readonly handshakeFirst?: boolean | undefined;
}

/** How to open a session; resolved and checked. */
export interface DialOptions {
  /** `host:port`. */
  readonly server: string;
  /** The name that its certificate must bear; absent: the host of `server`. */
  readonly certifiedName?: string;
  readonly credentials?: Credentials;
  /**
   * Settings: TLS or nothing. `false`: plaintext is meant, and a server that demands TLS is an error. Absent: what the
   * server's INFO asks for or offers, checked against the authorities that Node trusts; never less after a TLS error.
   */
  readonly tls?: false | TlsSettings;
  /**
   * CONNECT and first requests leave without waiting for INFO. Only where nothing in them can depend on it: the kind of the
   * broker is known, and plaintext or TLS is meant for certain. Credentials that sign a nonce of INFO wait all the same.
   */
  readonly early?: boolean;
  /** Shown by the server's monitoring. */
  readonly name: string;
  /** A Memphis broker is insisted on: what CONNECT says can be in its form before INFO is there. */
  readonly isMemphis?: boolean;
  /** Which account of a Memphis broker; default 1. */
  readonly accountId?: number;
  readonly timeoutMs: number;
}

/**
 * Opens a session. Returns at once; `info` tells whether it came up: it rejects with `CONNECT_FAILED`,
 * `AUTHENTICATION_FAILED`, `TLS_FAILED`, or `INVALID_OPTION` for a seed or PEM text that cannot be used. Does not throw.
 */
export type Dial = (options: DialOptions) => Connection;
