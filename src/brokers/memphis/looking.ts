/** Where a station's schema has to be known before anybody is registered: a producer is, for the answer alone (memphis-wire 7.2). */

import type { Link } from '../../connection/link.ts';
import type { Connection } from '../../connection/port.ts';
import { repeat } from '../jetstream/repeat.ts';
import type { Json } from '../jetstream/wire/api.ts';
import { LOOKING } from './identity.ts';
import { destroyProducer } from './wire/member-destruction.ts';
import { registerProducer } from './wire/producer-creation.ts';

/** Only where the station is known to be there: the broker would make it. @param before runs first, on the same connection */
export function askAs(
  link: Link,
  station: string,
  patienceMs: number,
  before?: (connection: Connection) => void,
): Promise<Json> {
  return repeat(link, 'look for schema', patienceMs, async (connection, limitMs) => {
    before?.(connection);
    const told = await registerProducer(connection, { name: LOOKING, station }, limitMs);
    await destroyProducer(connection, LOOKING, station, limitMs);
    return told;
  });
}
