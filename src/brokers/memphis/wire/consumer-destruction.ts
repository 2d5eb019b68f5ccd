/** Taking a member of a group out of the broker's lists (memphis-wire 2.6). */

import type { Connection } from '../../../connection/port.ts';
import { isMemphisError } from '../../../model/errors.ts';
import { ask } from './control.ts';
import { memberDestruction } from './member-destruction.ts';

/** One row goes, and with the last active one the group's durables: its position is lost. None is success too. */
export async function destroyConsumer(
  connection: Connection,
  name: string,
  station: string,
  timeoutMs: number,
): Promise<void> {
  const attempted = `take consumer ${name} out of station ${station}`;
  const body = memberDestruction(name, station, connection.identity);
  try {
    await ask(connection, '$memphis_consumer_destructions', attempted, timeoutMs, body);
  } catch (error) {
    if (!isMemphisError(error) || !/: Consumer .*does not exist\.$/.test(error.message)) throw error;
  }
}
