/** A message: the plain record that travels through the pipeline, and the handle that users hold. */

/** Header names and values as users see them; names are case-sensitive, a repeated name keeps its first value. */
export type Headers = Readonly<Record<string, string>>;

/** One stored message as a broker driver or a pushed event delivers it: plain data. */
export interface StoredMessage {
  /** `<stream>:<sequence>`, the same at each redelivery: good as an idempotency key. */
  readonly id: string;
  readonly station: string;
  /** 1 and up; 0 where the station has no partitions. */
  readonly partition: number;
  readonly sequence: number;
  /** 1 at the first delivery. */
  readonly deliveryCount: number;
  /** When the broker stored it. */
  readonly timestamp: Date;
  /** Without the headers that broker and toolkit reserve for themselves. */
  readonly headers: Headers;
  /** The key that chose the partition, where the producer gave one. */
  readonly partitionKey?: string;
  /** The payload, which settling needs too: copy it before you write into it, else a dead letter holds what you wrote. */
  readonly data: Uint8Array;
}

/** What a stored message has. */
export const FIELDS = [
  'id',
  'station',
  'partition',
  'sequence',
  'deliveryCount',
  'timestamp',
  'headers',
  'partitionKey',
  'data',
] as const;

/**
 * A message as handlers and consumers see it. Each settle method returns a promise that resolves when the
 * broker has confirmed it (pulled) or when it stands in the answer to the poller (pushed). The first one
 * wins: the same one again is the same promise, another one rejects with `ALREADY_SETTLED`.
 */
export interface Message<T = unknown> extends StoredMessage {
  /** The payload as UTF-8 text. */
  text(): string;
  /** The payload parsed as JSON. @throws SyntaxError, which quotes nothing of it */
  json<J = T>(): J;
  /**
   * The value by the station's schema where it has one, else parsed JSON where the payload is JSON, else its text, else (no
   * UTF-8) its bytes.
   *
   * @throws MemphisError where the schema cannot be used: `DEPENDENCY_MISSING`, `SCHEMA_INVALID`, `SCHEMA_NOT_FOUND`
   */
  value(): T;
  /** Done: never delivered to this group again. */
  ack(): Promise<void>;
  /** Not done: delivered again after `delayMs` (0 and up). @throws MemphisError `INVALID_OPTION`, at once and not as a rejection */
  delay(delayMs: number): Promise<void>;
  /** Not done: delivered again at once. */
  nack(): Promise<void>;
  /** Never again: set aside with a reason in the station's dead letters. */
  deadLetter(reason: string): Promise<void>;
  /** Still working: the time to settle starts anew. Not a settle; may be called any number of times. */
  inProgress(): Promise<void>;
}

/**
 * As `JSON.parse`, whose own error would quote the text: what fails a handler goes into logs, answers and reasons.
 *
 * @param what whose text it is, for the error
 * @throws SyntaxError
 */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const place = /at position \d+/.exec((error as Error).message)?.[0];
    throw new SyntaxError(`${what} is not valid JSON${place === undefined ? '' : ` (${place})`}.`);
  }
}
