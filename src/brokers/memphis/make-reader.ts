/** Readers of a Memphis broker. */

import type { Link } from '../../connection/link.ts';
import type { ReaderOptions } from '../../model/broker.ts';
import type { StationSchemas } from '../../model/schema-look-up.ts';
import { JetStreamReader } from '../jetstream/reader.ts';
import type { Retries } from '../jetstream/retries.ts';
import { setAside } from './dead-letters.ts';
import { MemphisGroup } from './group.ts';
import type { Members } from './members.ts';
import type { MemphisStations } from './stations.ts';

/** What readers have of their broker. */
interface Parts {
  readonly link: Link;
  readonly stations: MemphisStations;
  readonly retries: Retries;
  readonly members: Members;
  readonly schemas: StationSchemas;
}

/** A stream of others on this broker is read as on any NATS server. */
export function makeReader(broker: Parts, options: ReaderOptions): JetStreamReader {
  const { link, stations, retries, members } = broker;
  const schemas = (): StationSchemas => broker.schemas; // others may answer by and by
  if (options.binding !== undefined) return new JetStreamReader(link, stations, retries, options);
  const group = new MemphisGroup(link, stations, retries, options, members, schemas);
  return new JetStreamReader(link, stations, retries, options, {
    group,
    setAside: (...given) => setAside(group, ...given),
    schemas,
  });
}
