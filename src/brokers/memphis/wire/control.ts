/**
 * Requests to the broker itself, beside JetStream's: one JSON object without headers to a `$memphis_` subject, answered in
 * one of two styles (memphis-wire 2.1). Text: nothing, or what is wrong. JSON: an object with `error`.
 */

import type { ClientIdentity, Connection } from '../../../connection/port.ts';
import { type ErrorCode, MemphisError } from '../../../model/errors.ts';
import { encodeJson, isJson, type Json, textOf } from '../../jetstream/wire/api.ts';
import { appIdOfProcess } from '../identity.ts';

/** Who is registered. */
export interface Member {
  readonly name: string;
  readonly station: string;
  /** Left out: that of this process. */
  readonly appId?: string;
}

/** What registrations have in common: the version of requests is the one with partitions, an application id and a language (2.3). */
export function memberBody(
  name: string,
  { station, appId = appIdOfProcess() }: Omit<Member, 'name'>,
  { connectionId, username }: ClientIdentity,
): Json {
  return {
    name,
    station_name: station,
    connection_id: connectionId,
    req_version: 4,
    username,
    app_id: appId,
    sdk_lang: 'node.js', // the broker's own lists know this name
  };
}

/** How the words of a refusal begin or what they hold, and what it means. The first that fits counts. */
type Meanings = readonly (readonly [RegExp, ErrorCode])[];

/** Made on use: most functions are never refused anything. */
function meanings(): Meanings {
  return [
    [/^station.* already exists$/i, 'JETSTREAM_UNAVAILABLE'], // two made it at the same time: ask again (2.3)
    [/is not allowed to|user .*does not exist/i, 'PERMISSION_DENIED'],
    [/^schema .*does not exist/i, 'SCHEMA_NOT_FOUND'],
    [/station .*does not exist|stream not found/i, 'STATION_NOT_FOUND'],
    [/\(10058\)/, 'STATION_CONFLICT'],
    [/can not be updated/, 'GROUP_CONFLICT'],
    [/larger than the cluster size/, 'UNSUPPORTED'],
    [/insufficient (storage|memory)|no space/i, 'STORAGE_FULL'],
  ];
}

/** Its database is away: words of the library that it asks it with, and states of PostgreSQL. It may be back soon. */
function isAway(words: string): boolean {
  return /failed to connect|connection refused|conn closed|SQLSTATE (08|53|55|57)/.test(words);
}

/** @param more what words mean beside that, of one request. */
function refusal(attempted: string, words: string, more: Meanings = []): MemphisError {
  const code = [...more, ...meanings()].find(([pattern]) => pattern.test(words))?.[1] ?? 'BROKER_REFUSED';
  return new MemphisError(code, `Could not ${attempted}: ${words}.`, {
    cause: new Error(words),
    ...(isAway(words) ? { retryable: true } : {}),
  });
}

/**
 * Asks, and reads the first answer, in either style. A refused consumer creation is answered twice, first with the words:
 * what comes later has nobody to go to (2.5).
 *
 * @param attempted what was tried, as the end of "Could not ..."
 * @throws MemphisError by its words, `TIMEOUT`, `CONNECTION_LOST`, `UNSUPPORTED` where nobody knows the subject
 */
export async function ask(
  connection: Connection,
  subject: string,
  attempted: string,
  timeoutMs: number,
  body: Json,
  more?: Meanings,
): Promise<Json> {
  const { status, data } = await connection.request(subject, encodeJson(body), { timeoutMs });
  if (status !== 503) return parseAnswer(attempted, data, more);
  throw new MemphisError('UNSUPPORTED', `Could not ${attempted}: this broker does not know the request.`);
}

/**
 * A reply. Nothing at all is success, without particulars; in text style that, or what is wrong, is all that comes, and some errors
 * of requests in JSON style come so too.
 *
 * @throws MemphisError by its words
 */
export function parseAnswer(attempted: string, data: Uint8Array, more?: Meanings): Json {
  if (data.length === 0) return {};
  const words = textOf(data);
  let reply: unknown;
  try {
    reply = JSON.parse(words);
  } catch {
    // the words are what is wrong
  }
  const answer: Json = isJson(reply) ? reply : { error: words };
  if (typeof answer.error === 'string' && answer.error !== '') throw refusal(attempted, answer.error, more);
  return answer;
}
