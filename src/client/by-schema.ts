/** Messages on their way into a station that has a schema: what reads schemas also writes by them. */

import type { Broker } from '../model/broker.ts';
import type { Encode, SchemaReader } from '../model/schema-reader.ts';
import { readerFor } from '../schemas/registry.ts';
import { toBytes } from './payload.ts';

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
  const reader = own?.covers(schema) === true ? own : schema && (await readerFor(schema));
  const again = (limitMs: number): Promise<Encode | undefined> => encoderFor(broker, station, own, limitMs);
  return await reader?.encoder(schema, { broker, station, toBytes, again });
}
