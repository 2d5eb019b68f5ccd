/**
 * Where a group began that was to begin with the last so many messages: its durables tell only the sequences that this
 * came to, and the broker takes every description away from them when it registers a member.
 */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { BUCKET } from '../jetstream/stations.ts';
import { store } from '../jetstream/store.ts';
import { apiError, encodeJson, refusalOf, textOf } from '../jetstream/wire/api.ts';
import { bucketConfig, createStream, lastMessage } from '../jetstream/wire/streams.ts';

export const startNoteOf = (stream: string, durable: string): string => `$KV.${BUCKET}.start.${stream}.${durable}`;

/** How many messages before the end a group began; nothing where nobody noted it. */
export async function readStart(
  connection: Connection,
  stream: string,
  durable: string,
  timeoutMs: number,
): Promise<number | undefined> {
  try {
    const { data } = await lastMessage(connection, `KV_${BUCKET}`, startNoteOf(stream, durable), timeoutMs);
    return Number(textOf(data));
  } catch (error) {
    const number = refusalOf(error);
    if (number === apiError.MESSAGE_NOT_FOUND || number === apiError.STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

/** Resolves when it is stored. */
export async function writeStart(
  link: Link,
  stream: string,
  durable: string,
  lastMessages: number,
  timeoutMs: number,
): Promise<void> {
  await store(
    link,
    startNoteOf(stream, durable),
    { data: encodeJson(lastMessages), headers: [] },
    { timeoutMs, onMissing: (connection, limitMs) => createStream(connection, bucketConfig(BUCKET, 1), limitMs) },
  );
}
