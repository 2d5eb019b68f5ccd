/** How memphis-dev is told where to go. */

import { memphis } from 'memphis-dev';
import { settings } from '../functions/settings.ts';

export { settings };

export function connectMemphis() {
  const { host, port } = settings();
  const { BENCH_USERNAME: username, BENCH_PASSWORD: password } = process.env;
  return memphis.connect({ host, port, username, password, suppressLogs: true });
}
