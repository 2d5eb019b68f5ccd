/** Which driver a broker needs: what the option says, or what INFO shows. */

import type { Link } from '../connection/link.ts';
import type { Broker } from '../model/broker.ts';
import { MemphisError } from '../model/errors.ts';
import type { LookUp } from '../model/schema-look-up.ts';
import { withoutDriver } from '../model/without-driver.ts';
import { JetStreamBroker } from './jetstream/broker.ts';
import { MemphisBroker } from './memphis/broker.ts';

/** What users say of the broker and how it is used. */
export interface Choice {
  readonly broker: 'auto' | 'jetstream' | 'memphis';
  readonly createStationOnFirstUse: boolean;
  /** What finds out about the schemas of stations, where there is something by now. */
  readonly lookUp?: () => LookUp | undefined;
}

/**
 * Connects and picks the driver.
 *
 * @param deadlineMs wall-clock time until which a dial may take
 * @param isAccepted the broker must have accepted the credentials
 * @throws MemphisError `UNSUPPORTED` when the broker is not of the kind that was insisted on, or there is no driver
 */
export async function chooseBroker(
  link: Link,
  { broker, ...options }: Choice,
  deadlineMs: number,
  isAccepted: boolean,
): Promise<Broker> {
  if (process.env.MEMPHIS_DRIVER === 'none') throw withoutDriver('connect');
  const connection = await link.ready(deadlineMs, { isAccepted });
  // stated, it is not waited for
  const info = broker === 'auto' ? await connection.info : connection.said;
  const isMemphis = info?.isMemphis ?? broker === 'memphis';
  if (broker !== 'auto' && isMemphis !== (broker === 'memphis')) throw notAsSaid(`broker: '${broker}'`, isMemphis);
  return isMemphis ? memphisBroker(link, options) : new JetStreamBroker(link, options);
}

/** In these words, here and where the rest of a driver is chosen: a bundler that is told so leaves this one out (docs/cold-start.md). */
function memphisBroker(link: Link, options: Omit<Choice, 'broker'>): Broker {
  if (process.env.MEMPHIS_DRIVER !== 'jetstream') return new MemphisBroker(link, options);
  throw notAsSaid('MEMPHIS_DRIVER=jetstream', true);
}

function notAsSaid(said: string, isMemphis: boolean): MemphisError {
  return new MemphisError(
    'UNSUPPORTED',
    `${said} was asked for, but this is a ${isMemphis ? 'Memphis broker' : 'NATS server'}: leave it out.`,
    { option: 'broker' },
  );
}
