/** Messages on their way into a station that has a schema: what reads schemas also writes by them. */

import type { Broker } from '../model/broker.ts';
import type { Encode, SchemaReader } from '../model/schema-reader.ts';
import { readerFor } from '../schemas/registry.ts';
import { toBytes } from './payload.ts';

/** How long a look at a schema may take, where nobody says. */
const LOOK_LIMIT_MS = 20_000;

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
  const again = (limitMs: number): Promise<Encode | undefined> => encoderFor(broker, station, own, limitMs);
  // what reads it has come just now, and with it what knows more of it than its name
  if (!isOwn && schema?.whole !== undefined) return await again(patienceMs ?? LOOK_LIMIT_MS);
  return await reader?.encoder(schema, { broker, station, toBytes, again });
}
