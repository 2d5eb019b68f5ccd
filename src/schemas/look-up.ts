/** What each driver knows of the schemas of stations beyond that there is one. It comes with the codecs, and with the client. */

import type { JetStreamBroker } from '../brokers/jetstream/broker.ts';
import { schemasClass } from '../brokers/jetstream/schemas.ts';
import type { MemphisBroker } from '../brokers/memphis/broker.ts';
import { memphisSchemasClass } from '../brokers/memphis/schemas.ts';
import type { Broker } from '../model/broker.ts';
import type { StationSchemas } from '../model/schema-look-up.ts';

export function lookUp(broker: Broker): StationSchemas {
  const { link, stations } = broker as JetStreamBroker | MemphisBroker;
  const isMemphis = process.env.MEMPHIS_DRIVER !== 'jetstream' && broker.kind === 'memphis';
  const made = isMemphis ? memphisSchemasClass() : schemasClass();
  return new made(link, stations);
}
