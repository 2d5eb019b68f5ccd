/** The part of the official client's types that is used: of `@nats-io/transport-node` and `@nats-io/nats-core` alike. */

/** A header block of its kind. */
export interface OfficialHeaders {
  keys(): string[];
  values(name: string): string[];
  readonly code: number;
  readonly description: string;
}

/** A message of its kind. */
export interface OfficialMessage {
  readonly subject: string;
  readonly reply?: string;
  readonly data: Uint8Array;
  readonly headers?: OfficialHeaders;
}

/** A subscription of its kind. */
export interface OfficialSubscription {
  readonly closed: Promise<unknown>;
  isClosed(): boolean;
  unsubscribe(): void;
  drain(): Promise<unknown>;
}

/** What `connect` and `wsconnect` of the official client resolve to, as far as it is used. */
export interface OfficialConnection {
  readonly info?: object;
  isClosed(): boolean;
  closed(): Promise<unknown>;
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string; readonly error?: Error }>;
  publish(subject: string, data: Uint8Array, options?: { reply?: string; headers?: object }): void;
  subscribe(
    subject: string,
    options: { max?: number; callback(error: Error | null, message: OfficialMessage): void },
  ): OfficialSubscription;
}
