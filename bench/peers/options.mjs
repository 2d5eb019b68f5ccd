/** How the official clients are told where to go: their defaults, and what `MEMPHIS_*` says to ours. */

export { settings } from '../functions/settings.ts';

export function connectOptions() {
  const { MEMPHIS_SERVERS } = process.env;
  return { servers: MEMPHIS_SERVERS };
}
