/**
 * Where each driver keeps what broke a schema. It comes with the codecs: a function without one refuses nothing, and holds
 * nothing of this (docs/decisions/015).
 */

import type { JetStreamBroker } from '../brokers/jetstream/broker.ts';
import { setAsideRefused } from '../brokers/jetstream/refused.ts';
import type { MemphisBroker } from '../brokers/memphis/broker.ts';
import { reportRefused } from '../brokers/memphis/refused.ts';
import type { Broker, OutgoingMessage, WholeBroker } from '../model/broker.ts';

/** @throws MemphisError when it is not stored */
export async function setAside(
  broker: Broker,
  message: OutgoingMessage,
  reason: string,
  timeoutMs: number,
): Promise<void> {
  const { setAside: own } = broker as Partial<WholeBroker>;
  if (own !== undefined) return await own.call(broker as WholeBroker, message, reason, { timeoutMs });
  if (process.env.MEMPHIS_DRIVER !== 'jetstream' && broker.kind === 'memphis') {
    return await reportRefused(broker as MemphisBroker, message, reason, timeoutMs);
  }
  const { link, stations } = broker as JetStreamBroker;
  await setAsideRefused(link, stations, message, reason, timeoutMs);
}
