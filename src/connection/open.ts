/** Options of `connect` -> a link. */

import { checkAccess, toAccess } from './access.ts';
import { type ConnectSettings, toAddresses } from './addresses.ts';
import { openLean } from './lean/session.ts';
import { Link } from './link.ts';

/**
 * Makes a link. No I/O.
 *
 * @throws MemphisError `INVALID_OPTION`
 */
export function makeLink(options: ConnectSettings): Link {
  const servers = toAddresses(options);
  checkAccess(options, servers);
  return new Link({
    servers,
    access: (limitMs) => toAccess(options, servers, limitMs),
    dial: openLean,
    timeoutMs: options.timeoutMs,
    reconnect: options.reconnect,
    maxReconnect: options.maxReconnect,
    reconnectIntervalMs: options.reconnectIntervalMs,
  });
}
