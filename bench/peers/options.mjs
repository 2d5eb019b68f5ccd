/** How the official clients are told where to go: their defaults, and what `MEMPHIS_*` says to ours. */

export { settings } from '../functions/settings.ts';

/** What makes them quick to notice that a connection is dead; none of it is a default. */
const tuned = {
  reconnectTimeWait: 10,
  reconnectJitter: 1,
  maxReconnectAttempts: -1,
  pingInterval: 500,
  maxPingOut: 1,
  timeout: 1_000,
};

export function connectOptions() {
  const { MEMPHIS_SERVERS, MEMPHIS_TLS_CA, BENCH_USERNAME, BENCH_PASSWORD } = process.env;
  const own = process.env.BENCH_TUNED === '1' ? tuned : {};
  return {
    ...own,
    servers: MEMPHIS_SERVERS,
    ...(BENCH_USERNAME === undefined ? {} : { user: BENCH_USERNAME, pass: BENCH_PASSWORD }),
    ...(MEMPHIS_TLS_CA === undefined ? {} : { tls: { caFile: MEMPHIS_TLS_CA } }),
  };
}
