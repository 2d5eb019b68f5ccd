/** How the official clients are told where to go: their defaults, and what `MEMPHIS_*` says to ours. */

export { settings } from '../functions/settings.ts';

export function connectOptions() {
  const { MEMPHIS_SERVERS, MEMPHIS_TLS_CA } = process.env;
  return { servers: MEMPHIS_SERVERS, ...(MEMPHIS_TLS_CA === undefined ? {} : { tls: { caFile: MEMPHIS_TLS_CA } }) };
}
