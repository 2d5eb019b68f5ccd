/** Which nats-server programs the suites run against: each that the machine has. */

import { test } from 'node:test';
import { findNatsServers, natsServerVersion } from '../../src/testing/nats-server.ts';

/** A nats-server program and what it calls itself. */
export interface ServerUnderTest {
  readonly binary: string;
  readonly version: string;
}

/**
 * All programs of `NATS_SERVER_BIN` (else of this machine) that run, one a version, in the order given. Call it
 * once at the top of a file. With fewer than two versions a skipped test says so, where everybody sees it.
 *
 * @throws Error when there is none: a suite without a broker shows nothing
 */
export function serversUnderTest(): ServerUnderTest[] {
  const found = serversOfThisMachine();
  const [only] = found;
  if (only === undefined) throw new Error('There is no nats-server: run `npm test`, which installs one.');
  if (found.length === 1) {
    const skip = `this machine has nats-server ${only.version} only: list more programs in NATS_SERVER_BIN`;
    test('runs on a second version of nats-server', { skip });
  }
  return found;
}

/** The newest one, on which least of what goes wrong is a fault of the server's (`dead-pulls.ts`). */
export function newestServer(): string | undefined {
  const servers = serversOfThisMachine();
  return servers.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))[0]?.binary;
}

function serversOfThisMachine(): ServerUnderTest[] {
  const servers = new Map<string, ServerUnderTest>();
  for (const binary of findNatsServers()) {
    const version = natsServerVersion(binary);
    if (version !== undefined && !servers.has(version)) servers.set(version, { binary, version });
  }
  return [...servers.values()];
}
