/**
 * The connection port: core NATS verbs and nothing else, so that a second implementation is one folder.
 * One connection is one session: it never reconnects by itself. Replacing it is `link.ts`'s business.
 */

/** Header names and values in wire order; a name may come more than once. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

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

/** One session with one server. Writes of one tick leave together. */
export interface Connection {
  /** Resolves when the first INFO is there; rejects when opening failed. Requests may be sent before. */
  readonly info: Promise<ServerInfo>;
  /** Resolves when the session has ended, whoever ended it: with the reason, or nothing after `close()`. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Whether it has ended. */
  readonly isClosed: boolean;
  /** Writes a message. @throws MemphisError `CONNECTION_LOST` on an ended session */
  publish(
    subject: string,
    data: Uint8Array,
    options?: { readonly reply?: string; readonly headers?: HeaderList },
  ): void;
  /**
   * Writes a message and waits for the first frame in answer, whatever its status (503: nobody listens).
   *
   * @throws MemphisError `TIMEOUT`, `CONNECTION_LOST`, `PERMISSION_DENIED`
   */
  request(
    subject: string,
    data: Uint8Array,
    options: { readonly timeoutMs: number; readonly headers?: HeaderList },
  ): Promise<Frame>;
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
  /** Resolves when the server has read all that was written. @throws MemphisError `TIMEOUT`, `CONNECTION_LOST`, `AUTHENTICATION_FAILED` */
  flush(timeoutMs: number): Promise<void>;
  /** Ends the session at once; what was written before is sent. Never rejects. */
  close(): Promise<void>;
}

/** How to open a session; resolved and checked. */
export interface DialOptions {
  /** `host:port`, tried in turn. */
  readonly servers: readonly string[];
  readonly username?: string;
  readonly password?: string;
  readonly token?: string;
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly timeoutMs: number;
}

/** Opens a session. Returns at once; `info` tells whether it came up. Does not throw. */
export type Dial = (options: DialOptions) => Connection;
