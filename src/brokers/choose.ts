/** Which driver a broker needs: what the option says, or what INFO shows. */

import type { Link } from '../connection/link.ts';
import type { Broker } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import { JetStreamBroker } from './jetstream/broker.ts';

const unsupported = (): MemphisError =>
  new MemphisError(
    'UNSUPPORTED',
    'This is a Memphis broker, which this version does not drive yet; it drives NATS servers with JetStream.',
  );

/** What users say of the broker and how it is used. */
export interface Choice {
  readonly broker: 'auto' | 'jetstream' | 'memphis';
  readonly createStationOnFirstUse: boolean;
}

/**
 * Connects and picks the driver.
 *
 * @param deadlineMs wall-clock time until which a dial may take
 * @throws MemphisError `UNSUPPORTED` when the broker is not of the kind that was insisted on
 */
export async function chooseBroker(
  link: Link,
  { broker, createStationOnFirstUse }: Choice,
  deadlineMs: number,
): Promise<Broker> {
  if (broker === 'memphis') throw unsupported();
  const info = await (await link.ready(deadlineMs)).info;
  if (info.isMemphis) throw unsupported();
  return new JetStreamBroker(link, { createStationOnFirstUse });
}
