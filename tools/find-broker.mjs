/**
 * Sees to it that there is a nats-server; prints all there are as `NATS_SERVER_BIN` takes them. Talks on stderr. With
 * `--newest` it also tries to have one that can do what the newest can, unless `NATS_SERVER_BIN` has the say.
 */

import path from 'node:path';
import { ensureNatsServer, findNatsServers, natsServerCache, natsServerVersion } from '../src/testing/nats-server.ts';
import { fetchNewestServer } from './newest-server.mjs';

/** From here on a server has all that the toolkit uses where it is there. */
const NEW_MINOR = 12;

const log = (line) => console.error(line);
const list = () => findNatsServers().filter((binary) => natsServerVersion(binary) !== undefined);
const isNew = (binary) => Number(natsServerVersion(binary)?.split('.')[1]) >= NEW_MINOR;

try {
  const usable = await ensureNatsServer({ log });
  const wantsNewest = process.argv.includes('--newest') && !process.env.NATS_SERVER_BIN;
  if (wantsNewest && !list().some(isNew)) fetchNewestServer(natsServerCache(), log);
  const found = list();
  const servers = found.includes(usable) ? found : [usable];
  for (const binary of servers) log(`  ${natsServerVersion(binary)}  ${binary}`);
  console.log(servers.join(path.delimiter));
} catch (error) {
  log(error.message);
  process.exitCode = 1;
}
