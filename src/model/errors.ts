/** The one error type of this package and the list of its codes. Text is for people; programs look at `code`. */

import type { Receipt } from './receipt.ts';
import type { SchemaIssue } from './schema-issue.ts';

/**
 * Every code a {@link MemphisError} can carry, and whether the same call may succeed later without a change
 * of its arguments. docs/errors.md explains each one; a test holds the two together.
 */
export const errorCodes = {
  /** An option has a name we do not know, or a value outside its range. */
  INVALID_OPTION: false,
  /** A station, group or producer name breaks the rules of names. */
  INVALID_NAME: false,
  /** A message cannot be sent as it is: unsupported type, a header name or value that the protocol cannot carry. */
  INVALID_MESSAGE: false,
  /** An event handed to a function has a shape that we cannot read. */
  INVALID_EVENT: false,
  /** Headers and payload together exceed what the broker takes. */
  PAYLOAD_TOO_LARGE: false,
  /** No server could be reached, or none answered in time. */
  CONNECT_FAILED: true,
  /** The server refused the credentials. */
  AUTHENTICATION_FAILED: false,
  /** TLS could not be agreed upon: a certificate is not trusted, or one side has no TLS where the other insists on it. */
  TLS_FAILED: false,
  /** The broker denies this user a subject that the operation needs. */
  PERMISSION_DENIED: false,
  /** The connection ended while an operation was under way; the broker may have acted. */
  CONNECTION_LOST: true,
  /** What the server sent is not its protocol; the connection was given up, and the broker may have acted. */
  PROTOCOL_ERROR: true,
  /** The connection or client was closed by this program. */
  CLOSED: false,
  /** The broker did not answer in time; it may have acted. */
  TIMEOUT: true,
  /** The broker has no JetStream, or it is switched off for this account. */
  JETSTREAM_UNAVAILABLE: true,
  /** This broker, or this version of it, cannot do what was asked for. */
  UNSUPPORTED: false,
  /** There is no such station. */
  STATION_NOT_FOUND: false,
  /** Streams of that name exist already and differ from what was asked for. */
  STATION_CONFLICT: false,
  /** The group exists and cannot be what was asked for: another start, another filter, a kind that settles otherwise. */
  GROUP_CONFLICT: false,
  /** There is no dead letter of that id. */
  DEAD_LETTER_NOT_FOUND: false,
  /** The partition does not exist in that station. */
  PARTITION_NOT_FOUND: false,
  /** The broker refused a request; `cause` has its words. */
  BROKER_REFUSED: false,
  /** The broker has no room left for the message. */
  STORAGE_FULL: true,
  /** Several stations or messages were produced to, and not all are stored; `receipts` and `failures` say which. */
  NOT_ALL_STORED: true,
  /** The broker did not confirm what was settled; affected messages may be delivered again. */
  SETTLE_UNCONFIRMED: true,
  /** The message was settled already, in another way. */
  ALREADY_SETTLED: false,
  /** The deadline of the function came before the work was done; messages were put back. */
  DEADLINE_EXCEEDED: true,
  /** Every message of a batch failed; they were put back or dead-lettered one by one. */
  ALL_MESSAGES_FAILED: true,
  /** A message does not satisfy its schema; `issues` says where. */
  SCHEMA_VIOLATION: false,
  /** A schema cannot be used: it does not compile, or its name or type breaks the rules. */
  SCHEMA_INVALID: false,
  /** There is no such schema, or no such version of it. */
  SCHEMA_NOT_FOUND: false,
  /** A schema of that name exists and is of another type. */
  SCHEMA_CONFLICT: false,
  /** The invoked function failed, or answered with something that is no partial batch response. */
  FUNCTION_FAILED: true,
  /** A function could not be invoked. */
  INVOKE_FAILED: true,
  /** An optional package that this feature needs is not installed. */
  DEPENDENCY_MISSING: false,
  /** A program that this feature starts (a broker for tests, a Node that makes a code cache) was not found or did not do its work. */
  PROGRAM_FAILED: false,
} as const satisfies Record<string, boolean>;

/** One of the codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** One message of several that is not stored, or not known to be. */
export interface ProduceFailure {
  readonly station: string;
  readonly error: MemphisError;
}

/** What an error was about. Never holds payloads, schemas or secrets. */
export interface ErrorDetails {
  readonly cause?: unknown;
  readonly station?: string;
  readonly group?: string;
  readonly option?: string;
  readonly server?: string;
  readonly functionName?: string;
  /** Which one of several messages, from 0. */
  readonly index?: number;
  /** Of `NOT_ALL_STORED`: what is stored. */
  readonly receipts?: readonly Receipt[];
  /** Of `NOT_ALL_STORED`: what is not; ten at most. */
  readonly failures?: readonly ProduceFailure[];
  /** Of `SCHEMA_VIOLATION`: what is wrong, and where; never a value of the message. */
  readonly issues?: readonly SchemaIssue[];
  /** Overrides whether a later try may succeed. */
  readonly retryable?: boolean;
}

const fields = [
  'station',
  'group',
  'option',
  'server',
  'functionName',
  'index',
  'receipts',
  'failures',
  'issues',
] as const;

const brand: symbol = Symbol.for('memphis-serverless.error');

/**
 * What this package throws and rejects with.
 *
 * @example
 * ```ts
 * try { await producer.produce(order); }
 * catch (error) { if (isMemphisError(error, 'PAYLOAD_TOO_LARGE')) await store(order); else throw error; }
 * ```
 */
export class MemphisError extends Error {
  readonly code: ErrorCode;
  /** Whether the same call may succeed later without a change of its arguments. */
  readonly retryable: boolean;
  declare readonly station?: string;
  declare readonly group?: string;
  declare readonly option?: string;
  declare readonly server?: string;
  declare readonly functionName?: string;
  declare readonly index?: number;
  declare readonly receipts?: readonly Receipt[];
  declare readonly failures?: readonly ProduceFailure[];
  declare readonly issues?: readonly SchemaIssue[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'MemphisError';
    this.code = code;
    this.retryable = details.retryable ?? errorCodes[code];
    for (const key of fields) if (details[key] !== undefined) Object.assign(this, { [key]: details[key] });
    Object.defineProperty(this, brand, { value: true });
  }
}

/** As `in`, also for what throws when it is asked. */
export function hasKey(value: object, key: PropertyKey): boolean {
  try {
    return key in value;
  } catch {
    return false; // a proxy that was revoked, or does not answer
  }
}

/**
 * Recognises our errors, also those of a second copy of this package in the same process.
 *
 * @param code narrows to one code
 */
export function isMemphisError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  code?: Code,
): error is MemphisError & { readonly code: Code } {
  if (typeof error !== 'object' || error === null || !hasKey(error, brand)) return false;
  return code === undefined || (error as unknown as MemphisError).code === code;
}

/** The words of anything thrown, for a reason text: name and message of an error, else its type. Never a stack. Never throws. */
export function describeError(error: unknown): string {
  try {
    if (error instanceof Error) return error.message === '' ? String(error.name) : `${error.name}: ${error.message}`;
    return typeof error === 'string' ? error : `thrown value of type ${typeof error}`;
  } catch {
    return 'a thrown value that cannot be read'; // what is thrown can be anything: a message that is a symbol, a proxy
  }
}
