/** Options of `connect` -> a link. */

import { checkAccess, toAccess } from './access.ts';
import { type ConnectSettings, toAddresses } from './addresses.ts';
import { openLean } from './lean/session.ts';
import { Link } from './link.ts';
import type { Dial } from './port.ts';

/** Where a connection leads that was handed in is not known here. */
const GIVEN = { server: 'the given connection', insistsOnTls: false };

/**
 * Makes a link. No I/O.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function makeLink(options: ConnectSettings): Link {
  const { connection } = options;
  if (connection !== undefined) {
    const dial = connection.open.bind(connection) as Dial;
    return new Link({ ...options, servers: [GIVEN], access: () => GIVEN, dial });
  }
  const servers = toAddresses(options);
  checkAccess(options, servers);
  return new Link({ ...options, ...toAccess(options, servers), servers, dial: openLean });
}
