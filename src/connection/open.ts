/** Options of `connect` -> a link. */

import { checkAccess, toAccess } from './access.ts';
import { type ConnectSettings, toAddresses } from './addresses.ts';
import { openLean } from './lean/session.ts';
import { Link } from './link.ts';
import type { Connection } from './port.ts';

/** Where a connection leads that was handed in is not known here. */
const GIVEN = { server: 'the given connection', insistsOnTls: false };

/**
 * Makes a link. No I/O.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function makeLink(options: ConnectSettings): Link {
  const { connection, timeoutMs, reconnect, maxReconnect, reconnectIntervalMs } = options;
  const servers = connection === undefined ? toAddresses(options) : [GIVEN];
  if (connection === undefined) checkAccess(options, servers);
  return new Link({
    servers,
    access: async (limitMs) => (connection === undefined ? toAccess(options, servers, limitMs) : () => GIVEN),
    dial: connection === undefined ? openLean : (dial) => connection.open(dial) as Connection,
    timeoutMs,
    reconnect,
    maxReconnect,
    reconnectIntervalMs,
  });
}
