/** JetStream's API requests: JSON out, JSON back, its error numbers as our codes. */

import type { Connection, ServerInfo } from '../../../connection/port.ts';
import { type ErrorCode, MemphisError } from '../../../model/errors.ts';

/** JetStream's error numbers that mean something to us. */
export const apiError = {
  STREAM_NOT_FOUND: 10059,
  STREAM_NAME_IN_USE: 10058,
  SUBJECTS_OVERLAP: 10065,
  CONSUMER_NOT_CREATED: 10012,
  CONSUMER_NOT_FOUND: 10014,
  MESSAGE_NOT_FOUND: 10037,
  SEQUENCE_NOT_FOUND: 10043,
  DELETE_FAILED: 10057,
  WRONG_LAST_SEQUENCE: 10071,
  NO_SUITABLE_PEERS: 10005,
} as const;

/** The numbers behind each of our codes. */
const numbers: Readonly<Partial<Record<ErrorCode, readonly number[]>>> = {
  JETSTREAM_UNAVAILABLE: [
    10004,
    10005, // a server is down, or the cluster never had so many
    10006,
    10007,
    10008, // cluster not available: an election is on
    10009,
    10039, // not for this account: see `final`
    10076,
    10118,
    10119,
    10158, // an earlier try is under way under this message id; whether it is stored shows later
    10167, // more at once than a stream takes
  ],
  STORAGE_FULL: [
    10002, // the account's limits
    10023,
    10026,
    10027, // the account has all the streams that it may have
    10028,
    10047,
    10077,
  ],
  PAYLOAD_TOO_LARGE: [
    10054,
    10097, // headers
  ],
  STATION_CONFLICT: [10058, 10065],
  STATION_NOT_FOUND: [10059],
  UNSUPPORTED: [10074], // more replicas than servers
};

/**
 * Some refusals have no number of their own: a leader that has just lost its office says 503 and 'raft: not leader', one
 * that is being shut down that its store is closed.
 */
function codeOf(number: number, status: unknown, description: string): ErrorCode {
  if (number === 10077 && /closed/i.test(description)) return 'JETSTREAM_UNAVAILABLE';
  const known = Object.entries(numbers).find(([, some]) => some.includes(number));
  if (known !== undefined) return known[0] as ErrorCode;
  return number === 0 && status === 503 ? 'JETSTREAM_UNAVAILABLE' : 'BROKER_REFUSED';
}

/** What somebody has to put right on the broker: the same request will not succeed by itself. */
const final: ReadonlySet<number> = new Set([10039]);

/** What JetStream said when it refused. `number` is its own error number; never thrown to users, but as a cause. */
export class ApiRefusal extends Error {
  readonly number: number;

  constructor(number: number, description: string) {
    super(`${description} (${number})`);
    this.name = 'ApiRefusal';
    this.number = number;
  }
}

/** The number of a refusal behind an error, or 0. */
export function refusalOf(error: unknown): number {
  const cause = error instanceof MemphisError ? error.cause : error;
  return cause instanceof ApiRefusal ? cause.number : 0;
}

/** Takes such refusals for an answer: there is nothing. To be caught with. */
export const nothingAt =
  (...numbers: readonly number[]) =>
  (error: unknown): undefined => {
    if (!numbers.includes(refusalOf(error))) throw error;
  };

/** A JSON object of unknown content. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** UTF-8. No `TextDecoder`: making one costs a cold start more than reading all of its replies. */
export function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

export function parseJson(data: Uint8Array): unknown {
  return JSON.parse(textOf(data));
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/**
 * A reply's JSON object.
 *
 * @param attempted what was asked, for the error text
 * @param emptyAt an error number that is as good as an empty answer
 * @throws MemphisError by the error number in the reply, `JETSTREAM_UNAVAILABLE` for a 503 without one, else `BROKER_REFUSED`
 */
export function parseReply(attempted: string, data: Uint8Array, emptyAt?: number): Json {
  let reply: unknown;
  try {
    reply = parseJson(data);
  } catch {
    throw unreadable(attempted, 'not JSON');
  }
  if (!isJson(reply)) throw unreadable(attempted, 'no object');
  if (!isJson(reply.error)) return reply;
  if (reply.error.err_code === emptyAt && emptyAt !== undefined) return {};
  throw refused(attempted, reply.error);
}

/** Without a cause: it would quote the answer, which may be the message itself where somebody echoes it. */
function unreadable(attempted: string, what: string): MemphisError {
  return new MemphisError('BROKER_REFUSED', `Could not ${attempted}: the broker's answer is ${what}.`);
}

/** What somebody can do, where a number does not say it. */
const advice: Readonly<Partial<Record<ErrorCode, string>>> = {
  STORAGE_FULL: ' Give the broker room, or keep less there.',
  STATION_CONFLICT: ' Choose another name, or destroy what is there.',
};

function refused(attempted: string, error: Json): MemphisError {
  const description = String(error.description ?? error.code);
  const refusal = new ApiRefusal(Number(error.err_code ?? 0), description);
  const code = codeOf(refusal.number, error.code, description);
  return new MemphisError(code, `Could not ${attempted}: ${refusal.message}.${advice[code] ?? ''}`, {
    cause: refusal,
    ...(final.has(refusal.number) ? { retryable: false } : {}),
  });
}

/**
 * Sends one API request.
 *
 * @param what its subject behind `$JS.API.`
 * @param attempted what was tried, as the end of "Could not ..."
 * @param emptyAt an error number that is as good as an empty answer
 * @throws MemphisError `JETSTREAM_UNAVAILABLE` when nobody answers for JetStream, and as `parseReply`
 */
export async function callApi(
  connection: Connection,
  what: string,
  attempted: string,
  timeoutMs: number,
  body?: Json,
  emptyAt?: number,
): Promise<Json> {
  const data = body === undefined ? new Uint8Array() : encodeJson(body);
  const frame = await connection.request(`$JS.API.${what}`, data, { timeoutMs });
  if (frame.status === 503) throw noJetStream(attempted, await connection.info);
  return parseReply(attempted, frame.data, emptyAt);
}

function noJetStream(attempted: string, { jetstream }: ServerInfo): MemphisError {
  return new MemphisError(
    'JETSTREAM_UNAVAILABLE',
    `Could not ${attempted}: the server has no JetStream for this account, or it is starting. Start it with JetStream on.`,
    { retryable: jetstream }, // a server that announces it is starting; one that does not will not have it soon
  );
}
