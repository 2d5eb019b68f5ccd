/** Messages written by a schema; those that break it are set aside and refused. */

import type { OutgoingMessage } from '../model/broker.ts';
import { describeError, isMemphisError, MemphisError } from '../model/errors.ts';
import type { CompiledSchema, StationSchema } from '../model/schema.ts';
import type { Destination, Encode } from '../model/schema-reader.ts';
import { report } from './report.ts';
import { setAside } from './set-aside.ts';

/** @param schema the station's, whatever it is that messages are written by */
export function encoderOf(compiled: CompiledSchema, schema: StationSchema | undefined, to: Destination): Encode {
  const { broker, station } = to;
  return async (letter, message, timeoutMs) => {
    try {
      return await compiled.encode(message);
    } catch (error) {
      if (!isMemphisError(error, 'SCHEMA_VIOLATION')) throw error;
      // what is known of the schema may be old
      if ((await broker.schemaOf?.(station, { isFresh: true })) !== schema) {
        const anew = await to.again(timeoutMs);
        return anew === undefined ? to.toBytes(message) : await anew(letter, message, timeoutMs);
      }
      const { issues = [], message: text } = error;
      const data = report(message);
      const why = data === undefined ? undefined : await tryToSetAside(to, { ...letter, data }, text, timeoutMs);
      throw new MemphisError('SCHEMA_VIOLATION', why === undefined ? text : `${text}. ${why}`, { station, issues });
    }
  };
}

/** @returns why it is not set aside */
async function tryToSetAside(
  { broker }: Destination,
  letter: OutgoingMessage,
  reason: string,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await setAside(broker, letter, reason, timeoutMs);
    return undefined;
  } catch (error) {
    return `It could not be stored in the dead letters: ${describeError(error)}`;
  }
}
