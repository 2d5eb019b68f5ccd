/**
 * Servers that may pass over a message that a group has out. From 2.9.17 to 2.10.9 the floor of a durable that has fallen behind its
 * stream is set one too high (nats-server pull requests 4086, 5008 and 5227; docs/decisions/018). Memphis is made from such ones since 1.4.2.
 */

import type { ServerInfo } from '../../connection/port.ts';
import { infoOf } from './repeat.ts';
import { isBefore } from './server-version.ts';
import type { Stations } from './stations.ts';
import type { StreamBroker } from './stream-broker.ts';

/** Connected, it is known by now. */
const LIMIT_MS = 5_000;

export function passesOver({ version, isMemphis }: Pick<ServerInfo, 'version' | 'isMemphis'>): boolean {
  // up to 1.4.2 a Memphis broker says its own version
  return isMemphis && isBefore(version, 2, 0)
    ? !isBefore(version, 1, 4, 2)
    : !isBefore(version, 2, 9, 17) && isBefore(version, 2, 10, 10);
}

let isTold = false;

/** For who makes a station on which that loses messages at once. A warning of the process, once. */
export async function warnOfPassedOver({ link }: StreamBroker<Stations>, station: string): Promise<void> {
  if (isTold || !passesOver(await infoOf(link, LIMIT_MS))) return;
  isTold = true;
  process.emitWarning(
    `Station ${station} is ack_based, and this server's version may now and then pass over a message that comes a second time: ` +
      'it is lost to its group. Use another retention type, or a NATS server from 2.10.10 on.',
    { code: 'MEMPHIS_PASSED_OVER' },
  );
}
