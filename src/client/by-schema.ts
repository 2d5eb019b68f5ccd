/** Messages on their way into a station that has a schema: written by it, or refused and set aside. */

import type { Broker, OutgoingMessage } from '../model/broker.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { SchemaReader } from '../model/schema-reader.ts';
import { readerFor } from '../schemas/registry.ts';
import { toBytes } from './payload.ts';

/** Writes a message as its station wants it. @throws MemphisError `INVALID_MESSAGE`, `SCHEMA_VIOLATION` once it is set aside */
export type Encode = (letter: OutgoingMessage, message: unknown, timeoutMs: number) => Promise<Uint8Array>;

/**
 * How messages are written for a station; nothing where it has no schema.
 *
 * @param own handed in by the caller; counts in place of the station's where it covers that
 * @throws MemphisError `DEPENDENCY_MISSING`, `SCHEMA_NOT_FOUND`, `SCHEMA_INVALID`
 */
export async function encoderFor(
  broker: Broker,
  station: string,
  own: SchemaReader | undefined,
  patienceMs?: number,
): Promise<Encode | undefined> {
  const schema = await broker.schemaOf?.(station, patienceMs === undefined ? {} : { patienceMs });
  const isOwn = own?.covers(schema) === true;
  const reader = isOwn ? own : schema && (await readerFor(schema));
  if (reader === undefined) return undefined;
  const compiled = await reader.open(schema);
  return async (letter, message, timeoutMs) => {
    try {
      return await compiled.encode(message);
    } catch (error) {
      if (!isMemphisError(error, 'SCHEMA_VIOLATION')) throw error;
      // what is known of the schema may be old
      if ((await broker.schemaOf?.(station, { isFresh: true })) !== schema) {
        const anew = await encoderFor(broker, station, own, timeoutMs);
        return anew === undefined ? toBytes(message) : await anew(letter, message, timeoutMs);
      }
      const { issues = [], message: text } = error;
      const data = reader.report(message);
      const why = data === undefined ? undefined : await setAside(broker, { ...letter, data }, text, timeoutMs);
      throw new MemphisError('SCHEMA_VIOLATION', why === undefined ? text : `${text}. ${why}`, { station, issues });
    }
  };
}

/** @returns why it is not set aside */
async function setAside(
  broker: Broker,
  letter: OutgoingMessage,
  reason: string,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await broker.setAside?.(letter, reason, { timeoutMs });
    return undefined;
  } catch (error) {
    return `It could not be stored in the dead letters: ${describeError(error)}`;
  }
}
