/** Sees to it that there is a nats-server; prints all there are as `NATS_SERVER_BIN` takes them. Talks on stderr. */

import path from 'node:path';
import { ensureNatsServer, findNatsServers, natsServerVersion } from '../src/testing/nats-server.ts';

try {
  const usable = await ensureNatsServer({ log: (line) => console.error(line) });
  const found = findNatsServers().filter((binary) => natsServerVersion(binary) !== undefined);
  const servers = found.includes(usable) ? found : [usable];
  for (const binary of servers) console.error(`  ${natsServerVersion(binary)}  ${binary}`);
  console.log(servers.join(path.delimiter));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
